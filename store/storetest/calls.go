package storetest

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A call is a method of a store with its arguments, for the checks that are the
// same for all methods. It drops the result.
type call = func(context.Context, store.Store) error

type (
	keyCall  = func(tokens.Key) call
	userCall = func(tokens.UserID) call
)

func registerCall(req tokens.Request) call {
	return func(ctx context.Context, s store.Store) error {
		_, err := s.Register(ctx, req)
		return err
	}
}

func getCall(key tokens.Key) call {
	return func(ctx context.Context, s store.Store) error {
		_, err := s.Get(ctx, key)
		return err
	}
}

func listCall(user tokens.UserID) call {
	return func(ctx context.Context, s store.Store) error {
		_, err := s.List(ctx, user)
		return err
	}
}

func holderCall(t tokens.Token) call {
	return func(ctx context.Context, s store.Store) error {
		_, err := s.Holder(ctx, t)
		return err
	}
}

func deactivateCall(key tokens.Key) call {
	return func(ctx context.Context, s store.Store) error { return s.Deactivate(ctx, key) }
}

func invalidateCall(key tokens.Key, t tokens.Token, sentAt time.Time) call {
	return func(ctx context.Context, s store.Store) error { return s.Invalidate(ctx, key, t, sentAt) }
}

func deleteCall(key tokens.Key) call {
	return func(ctx context.Context, s store.Store) error { return s.Delete(ctx, key) }
}

func deleteUserCall(user tokens.UserID) call {
	return func(ctx context.Context, s store.Store) error { return s.DeleteUser(ctx, user) }
}
