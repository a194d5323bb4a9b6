package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A call is a method of a store with its arguments.
type call = func(context.Context, store.Store) error

type (
	keyCall  = func(tokens.Key) call
	userCall = func(tokens.UserID) call
)

func errorOf[T any](_ T, err error) error { return err }

func registerCall(req tokens.Request) call {
	return func(ctx context.Context, s store.Store) error { return errorOf(s.Register(ctx, req)) }
}

func getCall(key tokens.Key) call {
	return func(ctx context.Context, s store.Store) error { return errorOf(s.Get(ctx, key)) }
}

func listCall(user tokens.UserID) call {
	return func(ctx context.Context, s store.Store) error { return errorOf(s.List(ctx, user)) }
}

func holderCall(h tokens.Hash) call {
	return func(ctx context.Context, s store.Store) error { return errorOf(s.Holder(ctx, h)) }
}

func deactivateCall(key tokens.Key) call {
	return func(ctx context.Context, s store.Store) error { return s.Deactivate(ctx, key) }
}

func invalidateCall(key tokens.Key, h tokens.Hash, sentAt time.Time) call {
	return func(ctx context.Context, s store.Store) error { return s.Invalidate(ctx, key, h, sentAt) }
}

func deleteCall(key tokens.Key) call {
	return func(ctx context.Context, s store.Store) error { return s.Delete(ctx, key) }
}

func deleteUserCall(user tokens.UserID) call {
	return func(ctx context.Context, s store.Store) error { return s.DeleteUser(ctx, user) }
}

func inspectCall(user tokens.UserID) call {
	return func(ctx context.Context, s store.Store) error { return errorOf(store.Inspect(ctx, s, user)) }
}

func importCall(r tokens.Registration) call {
	return func(ctx context.Context, s store.Store) error { return errorOf(store.Import(ctx, s, r)) }
}

func pageCall(w store.Walker, from store.Cursor, limit int) call {
	return func(ctx context.Context, _ store.Store) error {
		_, _, err := w.Page(ctx, from, limit)
		return err
	}
}

func segmentsCall(w store.Walker, n int) call {
	return func(ctx context.Context, _ store.Store) error { return errorOf(w.Segments(ctx, n)) }
}

const (
	alice tokens.UserID   = "alice"
	bob   tokens.UserID   = "bob"
	phone tokens.DeviceID = "phone"
)

func key(user tokens.UserID, device tokens.DeviceID) tokens.Key {
	return tokens.Key{UserID: user, DeviceID: device}
}

func request(user tokens.UserID, device tokens.DeviceID, token tokens.Token) tokens.Request {
	return tokens.Request{Key: key(user, device), Token: token, Platform: tokens.IOS, ProjectID: "@acme/app"}
}

// Requests of many checks: two devices of alice, her phone with another token, and bob who
// takes over her phone.
var (
	owned    = request(alice, phone, token(1))
	second   = request(alice, "tablet", token(2))
	reissued = request(alice, phone, token(2))
	taking   = request(bob, phone, token(1))
)

func token(n int) tokens.Token {
	return tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[%022d]", n))
}

// spellings returns three spellings of one token.
func spellings(n int) [3]tokens.Token {
	id := fmt.Sprintf("5pe11ed0-0000-0000-0000-%012d", n)
	return [3]tokens.Token{
		tokens.MustParseToken("ExponentPushToken[" + id + "]"),
		tokens.MustParseToken("ExpoPushToken[" + id + "]"),
		tokens.MustParseToken(id),
	}
}

// device returns the n-th of up to a thousand devices, which are in byte order.
func device(n int) tokens.DeviceID { return tokens.DeviceID(fmt.Sprintf("device-%03d", n)) }

func nth(n int) tokens.Request { return request(alice, device(n), token(n)) }

func firstN(n int) []tokens.Request {
	reqs := make([]tokens.Request, n)
	for i := range reqs {
		reqs[i] = nth(i)
	}
	return reqs
}
