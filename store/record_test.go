package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

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
			equal(t, "results", want, got)
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
	equal(t, "users", []tokens.UserID{"1", "2"}, got)
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

// TestKeyRange: a range and its cursor say the same, and the keys of a walk that
// was cut anywhere come once.
func TestKeyRange(t *testing.T) {
	id := rapid.StringN(0, 3, -1)
	key := rapid.Custom(func(t *rapid.T) tokens.Key {
		return tokens.Key{UserID: tokens.UserID(id.Draw(t, "user")), DeviceID: tokens.DeviceID(id.Draw(t, "device"))}
	})
	rapid.Check(t, func(t *rapid.T) {
		k := store.KeyRange{After: key.Draw(t, "after"), Until: tokens.UserID(id.Draw(t, "until"))}
		if got, err := store.ParseCursor(k.Cursor()); err != nil || got != k {
			t.Errorf("%v: read back as %v, %v", k, got, err)
		}

		stored, cut, last := key.Draw(t, "stored"), tokens.UserID(id.Draw(t, "cut")), key.Draw(t, "last")
		if stored.IsZero() || stored.DeviceID == "" || cut == "" {
			return
		}
		inSegments := 0
		for _, segment := range []store.KeyRange{{Until: cut}, {After: tokens.Key{UserID: cut}}} {
			if segment.Contains(stored) {
				inSegments++
			}
		}
		if inSegments != 1 {
			t.Errorf("%v is in %d of the segments cut at %q", stored, inSegments, cut)
		}
		if (store.KeyRange{After: last}).Contains(stored) == (stored == last || before(stored, last)) {
			t.Errorf("%v after %v", stored, last)
		}
	})
}

func before(a, b tokens.Key) bool {
	return a.UserID < b.UserID || a.UserID == b.UserID && a.DeviceID < b.DeviceID
}

// FuzzParseCursor: a cursor is either refused or one that Cursor returns.
func FuzzParseCursor(f *testing.F) {
	f.Add("")
	f.Add(string(store.KeyRange{After: alice.Key, Until: "bob"}.Cursor()))
	f.Add("WyIiLCIiLCIiXQ") // the zero range, written out
	f.Add("bnVsbA")         // null
	f.Add("{}")
	f.Fuzz(func(t *testing.T, c string) {
		k, err := store.ParseCursor(store.Cursor(c))
		var invalid *tokens.InvalidError
		if err == nil && string(k.Cursor()) != c || err != nil && !errors.As(err, &invalid) {
			t.Errorf("read as %v, %v", k, err)
		}
	})
}
