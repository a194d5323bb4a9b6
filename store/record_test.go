package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// An able store has every optional interface, and answers with what it is asked.
type able struct{ store.Store }

func (able) Inspect(_ context.Context, u tokens.UserID) ([]store.Record, error) {
	return []store.Record{{Key: tokens.Key{UserID: u}}}, nil
}

func (able) Segments(context.Context, int) ([]store.Cursor, error) {
	return []store.Cursor{"a", "b"}, nil
}

// Page has the pages start → a → (empty) b → end.
func (able) Page(_ context.Context, from store.Cursor, _ int) ([]store.Record, store.Cursor, error) {
	record := func(u tokens.UserID) []store.Record { return []store.Record{{Key: tokens.Key{UserID: u}}} }
	switch from {
	case "":
		return record("1"), "a", nil
	case "a":
		return nil, "b", nil
	case "b":
		return record("2"), "", nil
	}
	return nil, "", errors.New("broken")
}

func (able) Import(_ context.Context, _ tokens.Registration) (store.ImportOutcome, error) {
	return store.ImportKept, nil
}

type observing struct{ store.Store }

func (o observing) Unwrap() store.Store { return o.Store }

type changing struct{ store.Store }

func TestOptionalInterfaces(t *testing.T) {
	ctx := t.Context()
	for name, tc := range map[string]struct {
		s     store.Store
		found bool
	}{
		"itself":                    {able{}, true},
		"behind an observer":        {observing{able{}}, true},
		"behind two observers":      {observing{observing{able{}}}, true},
		"behind a changing wrapper": {changing{able{}}, false},
		"behind both":               {observing{changing{able{}}}, false},
		"around nothing":            {observing{}, false},
		"none":                      {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			records, inspectErr := store.Inspect(ctx, tc.s, "alice")
			segments, segmentsErr := store.Segments(ctx, tc.s, 2)
			page, next, pageErr := store.Page(ctx, tc.s, "", 10)
			outcome, importErr := store.Import(ctx, tc.s, tokens.Registration{})
			if !tc.found {
				for _, err := range []error{inspectErr, segmentsErr, pageErr, importErr} {
					if !errors.Is(err, errors.ErrUnsupported) || !strings.HasPrefix(err.Error(), "store: ") {
						t.Errorf("got error %v, want ErrUnsupported", err)
					}
				}
				return
			}
			if err := errors.Join(inspectErr, segmentsErr, pageErr, importErr); err != nil {
				t.Fatal(err)
			}
			got := []any{records, segments, page, next, outcome}
			want := []any{
				[]store.Record{{Key: tokens.Key{UserID: "alice"}}}, []store.Cursor{"a", "b"},
				[]store.Record{{Key: tokens.Key{UserID: "1"}}}, store.Cursor("a"), store.ImportKept,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWalk(t *testing.T) {
	var got []tokens.UserID
	for r, err := range store.Walk(t.Context(), able{}, "", 10) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Key.UserID)
	}
	if diff := cmp.Diff([]tokens.UserID{"1", "2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for range store.Walk(t.Context(), able{}, "", 10) {
		break // must not panic
	}
	calls := 0
	for r, err := range store.Walk(t.Context(), able{}, "bad", 10) {
		calls++
		if err == nil || !r.Key.IsZero() {
			t.Errorf("got %v and error %v", r.Key, err)
		}
	}
	if calls != 1 {
		t.Errorf("an error came %d times", calls)
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
