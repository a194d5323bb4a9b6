package store_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

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
