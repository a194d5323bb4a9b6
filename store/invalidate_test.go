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

func equal(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func bad(field string, code tokens.Code) tokens.FieldError {
	return tokens.FieldError{Field: field, Code: code}
}

func invalid(fields ...tokens.FieldError) error { return &tokens.InvalidError{Fields: fields} }

func TestValidateInvalidation(t *testing.T) {
	sentAtRequired := bad("sentAt", tokens.CodeRequired)
	malformed := invalid(bad("sentAt", tokens.CodeMalformed))
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
		{"year 0", alice.Key, token, time.Time{}.Add(-1), malformed},
		{"year 10000 in UTC", alice.Key, token, time.Date(9999, time.December, 31, 23, 0, 0, 0, west), malformed},
		{"nothing", tokens.Key{}, tokens.Token{}, time.Time{}, invalid(
			bad("userId", tokens.CodeRequired),
			bad("deviceId", tokens.CodeRequired),
			bad("tokenHash", tokens.CodeRequired),
			sentAtRequired,
		)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := store.ValidateInvalidation(tc.key, tc.token.Hash(), tc.sentAt)
			equal(t, "error", tc.want, got)
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
		{"not held", other, noon.Add(time.Hour), tokens.Active},
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

// meanwhile is a store that calls do after each call of Holder.
type meanwhile struct {
	store.Store
	do func() error
}

func (s meanwhile) Holder(ctx context.Context, h tokens.Hash) (tokens.Registration, error) {
	reg, err := s.Store.Holder(ctx, h)
	return reg, errors.Join(err, s.do())
}

func TestInvalidateTokenThatMoves(t *testing.T) {
	s := memstore.MustNew(store.Policy{Now: func() time.Time { return noon }})
	register := func(user tokens.UserID) error {
		req := alice
		req.Key.UserID = user
		_, err := s.Register(t.Context(), req)
		return err
	}
	moves := meanwhile{s, func() error { return register("bob") }}
	if err := errors.Join(register("alice"), store.InvalidateToken(t.Context(), moves, token, noon.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	got, err := s.Holder(t.Context(), token.Hash())
	if err != nil || got.Key.UserID != "bob" || !got.Active() {
		t.Errorf("got %v and error %v, want bob's active registration", got, err)
	}
}

func TestInvalidateTokenErrors(t *testing.T) {
	s := memstore.MustNew(store.Policy{})
	if _, err := s.Register(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	err := store.InvalidateToken(t.Context(), meanwhile{s, func() error { return store.ErrTryAgain }}, token, noon)
	if !errors.Is(err, store.ErrTryAgain) {
		t.Errorf("got error %v, want ErrTryAgain", err)
	}

	// The store is nil, so a call of it would panic.
	err = store.InvalidateToken(t.Context(), nil, tokens.Token{}, time.Time{})
	want := invalid(
		bad("expoPushToken", tokens.CodeRequired),
		bad("sentAt", tokens.CodeRequired),
	)
	equal(t, "error", want, err)
}
