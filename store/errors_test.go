package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestCorruptError: the key is a field, and not in the text.
func TestCorruptError(t *testing.T) {
	cause := errors.New("attribute platform has type N")
	err := fmt.Errorf("get: %w", &store.CorruptError{Key: tokens.Key{UserID: "alice", DeviceID: "phone"}, Err: cause})

	var corrupt *store.CorruptError
	if !errors.As(err, &corrupt) || corrupt.Key.UserID != "alice" || corrupt.Key.DeviceID != "phone" {
		t.Fatalf("got %v, want a CorruptError with its key", err)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is not wrapped")
	}
	if got, want := fmt.Sprintf("%v", err), "get: store: stored registration cannot be decoded: attribute platform has type N"; got != want {
		t.Errorf("got text %q, want %q", got, want)
	}
}

func TestOutcomeOf(t *testing.T) {
	_, invalid := memstore.MustNew(store.Policy{}).Get(t.Context(), tokens.Key{})
	for want, errs := range map[store.Outcome][]error{
		store.OK:            {nil},
		store.NotFound:      {store.ErrNotFound},
		store.Invalid:       {invalid},
		store.Corrupt:       {&store.CorruptError{}},
		store.TryAgain:      {store.ErrTryAgain, context.DeadlineExceeded, errors.Join(store.ErrTryAgain, context.DeadlineExceeded)},
		store.Misconfigured: {store.ErrMisconfigured},
		store.Canceled:      {context.Canceled, errors.Join(store.ErrTryAgain, context.Canceled)},
		store.Failed:        {errors.New("other"), errors.ErrUnsupported},
	} {
		for _, err := range errs {
			if got := store.OutcomeOf(err); got != want {
				t.Errorf("%v: got %s, want %s", err, got, want)
			}
		}
	}
}
