package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var (
	noon  = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)
	token = tokens.MustParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")
	alice = tokens.Request{
		Key:      tokens.Key{UserID: "alice", DeviceID: "phone"},
		Token:    token,
		Platform: tokens.IOS,
	}
)

func invalid(fields ...tokens.FieldError) error { return &tokens.InvalidError{Fields: fields} }

func TestValidateInvalidation(t *testing.T) {
	sentAtRequired := tokens.FieldError{Field: "sentAt", Code: tokens.CodeRequired}
	sentAtMalformed := tokens.FieldError{Field: "sentAt", Code: tokens.CodeMalformed}
	west := time.FixedZone("", -3600)
	for _, tc := range []struct {
		name   string
		key    tokens.Key
		token  tokens.Token
		sentAt time.Time
		want   error
	}{
		{"valid", alice.Key, token, noon, nil},
		{"first time", alice.Key, token, time.Time{}.Add(1), nil},
		{"last time", alice.Key, token, time.Date(9999, time.December, 31, 23, 59, 59, 999_999_999, time.UTC), nil},
		{"no time", alice.Key, token, time.Time{}, invalid(sentAtRequired)},
		{"no time elsewhere", alice.Key, token, time.Time{}.In(west), invalid(sentAtRequired)},
		{"year 0", alice.Key, token, time.Time{}.Add(-1), invalid(sentAtMalformed)},
		{"year 10000 in UTC", alice.Key, token, time.Date(9999, time.December, 31, 23, 0, 0, 0, west), invalid(sentAtMalformed)},
		{"no device", tokens.Key{UserID: "alice"}, token, noon, invalid(tokens.FieldError{Field: "deviceId", Code: tokens.CodeRequired})},
		{"nothing", tokens.Key{}, tokens.Token{}, time.Time{}, invalid(
			tokens.FieldError{Field: "userId", Code: tokens.CodeRequired},
			tokens.FieldError{Field: "deviceId", Code: tokens.CodeRequired},
			tokens.FieldError{Field: "tokenHash", Code: tokens.CodeRequired},
			sentAtRequired,
		)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := store.ValidateInvalidation(tc.key, tc.token.Hash(), tc.sentAt)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestInvalidateToken(t *testing.T) {
	respelled := tokens.MustParseToken("ExpoPushToken[xxxxxxxxxxxxxxxxxxxxxx]")
	other := tokens.MustParseToken("ExpoPushToken[yyyyyyyyyyyyyyyyyyyyyy]")
	for _, tc := range []struct {
		name   string
		token  tokens.Token
		sentAt time.Time
		want   tokens.Status
	}{
		{"held", token, noon.Add(time.Hour), tokens.DeviceNotRegistered},
		{"respelled", respelled, noon.Add(time.Hour), tokens.DeviceNotRegistered},
		{"held by nobody", other, noon.Add(time.Hour), tokens.Active},
		{"registered since", token, noon, tokens.Active},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := memstore.MustNew(store.Policy{Now: func() time.Time { return noon }})
			if _, err := s.Register(t.Context(), alice); err != nil {
				t.Fatal(err)
			}
			if err := store.InvalidateToken(t.Context(), s, tc.token, tc.sentAt); err != nil {
				t.Fatal(err)
			}
			got, err := s.Get(t.Context(), alice.Key)
			if err != nil || got.Status != tc.want {
				t.Errorf("got status %q and error %v, want %q", got.Status, err, tc.want)
			}
		})
	}
}

// moving is a store whose token moves to bob after each call of Holder.
type moving struct{ store.Store }

func (s moving) Holder(ctx context.Context, h tokens.Hash) (tokens.Registration, error) {
	reg, err := s.Store.Holder(ctx, h)
	if err != nil {
		return reg, err
	}
	bob := alice
	bob.Key.UserID = "bob"
	_, err = s.Register(ctx, bob)
	return reg, err
}

func TestInvalidateTokenThatMoves(t *testing.T) {
	s := moving{memstore.MustNew(store.Policy{Now: func() time.Time { return noon }})}
	if _, err := s.Register(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	if err := store.InvalidateToken(t.Context(), s, token, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	got, err := s.Store.Holder(t.Context(), token.Hash())
	if err != nil || got.Key.UserID != "bob" || !got.Active() {
		t.Errorf("got %v and error %v, want bob's active registration", got, err)
	}
}

// failing is a store of which nothing is called but Holder, which fails.
type failing struct {
	store.Store
	err error
}

func (s failing) Holder(context.Context, tokens.Hash) (tokens.Registration, error) {
	return tokens.Registration{}, s.err
}

func TestInvalidateTokenErrors(t *testing.T) {
	err := store.InvalidateToken(t.Context(), failing{err: store.ErrTryAgain}, token, noon)
	if !errors.Is(err, store.ErrTryAgain) {
		t.Errorf("got error %v, want ErrTryAgain", err)
	}

	// Nothing is asked of the store: it is nil.
	err = store.InvalidateToken(t.Context(), nil, tokens.Token{}, time.Time{})
	want := invalid(
		tokens.FieldError{Field: "expoPushToken", Code: tokens.CodeRequired},
		tokens.FieldError{Field: "sentAt", Code: tokens.CodeRequired},
	)
	if diff := cmp.Diff(want, err); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
