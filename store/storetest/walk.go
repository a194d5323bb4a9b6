package storetest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var walkChecks = []check{
	{"Walk/Nothing", "walk", defaults, func(f *fixture) {
		w := f.walker()
		for range 2 {
			f.wantRecords("the walk", holding{}, everything, f.walk(w, "", 2, nil))
			f.wantRecords("the walk", holding{}, everything, f.walkSegments(w, f.segments(w, 3), 2))
			f.register(owned)
			f.delete(owned.Key)
		}
	}},
	{"Walk/EveryState", "walk", defaults, func(f *fixture) {
		h, w := f.assorted(), f.walker()
		for _, limit := range []int{1, 2, 3, 7, 1000, math.MaxInt} {
			f.wantRecords("the walk", h, everything, f.walk(w, "", limit, nil))
		}
		f.wantReclaimed("the walk", h, f.walk(w, "", 3, nil))
	}},
	{"Walk/Values", "values", defaults, func(f *fixture) {
		h := f.assorted()
		var pages [][]store.Record
		all := f.walk(f.walker(), "", 3, func(records []store.Record, _ store.Cursor) { pages = append(pages, records) })
		f.wantEqual("the pages of a walk, after the walk", registrations(all), registrations(slices.Concat(pages...)))
		f.wantRecords("the walk", h, everything, all)
	}},
	{"Walk/AnySegments", "walk", defaults, walkAnySegments},
	// A page that begins after one key of a pair must not skip the other.
	{"Walk/Keys", "walk", store.Policy{MaxDevices: store.MaxMaxDevices}, func(f *fixture) {
		h := holding{}
		for i, pair := range textPairs(tokens.MaxDeviceIDLen) {
			for j, text := range pair {
				f.put(h, request(tokens.UserID(text), tokens.DeviceID(pair[0]), token(4*i+j)))
				f.put(h, request(alice, tokens.DeviceID(text), token(4*i+2+j)))
			}
		}
		w := f.walker()
		f.wantRecords("the walk", h, everything, f.walk(w, "", 1, nil))
		f.wantRecords("the segments", h, everything, f.walkSegments(w, f.segments(w, 5), 7))
	}},
	// It erases the registrations of a page before it asks for the next one.
	{"Walk/CursorsKeyDeleted", "walk", defaults, func(f *fixture) {
		for _, limit := range []int{1, 2, 5} {
			h := f.assorted()
			f.walk(f.walker(), "", limit, func(records []store.Record, _ store.Cursor) {
				f.wantHeld("the page", h, records)
				for _, r := range records {
					f.delete(r.Key)
					delete(h, r.Key)
				}
			})
			f.wantRecords("the walk", h, everything, nil)
			for k := range h {
				f.delete(k)
			}
		}
	}},
	{"Walk/WhileWriting", "walk", defaults, walkWhileWriting},
	{"Walk/Resumed", "walk", defaults, walkResumed},
	{"Invalid/Segments", "invalid", defaults, func(f *fixture) {
		for _, n := range []int{0, -1, math.MinInt} {
			f.refuses(segmentsCall(f.walker(), n), badLimit)
		}
	}},
	{"Invalid/Page", "invalid", defaults, invalidPage},
	{"Context/Segments", "context", defaults, func(f *fixture) { f.obeysContext(reads, segmentsCall(f.walker(), 2)) }},
	{"Context/Page", "context", defaults, func(f *fixture) { f.obeysContext(reads, pageCall(f.walker(), "", 2)) }},
	{"Race/WalkWhileReplacing", "one-instant", defaults, func(f *fixture) {
		w := f.walker()
		f.showsWholeWrites(func() ([]tokens.Registration, error) {
			var regs []tokens.Registration
			for r, err := range store.Walk(f.Context(), w, "", 2) {
				if err != nil {
					return nil, err
				}
				regs = append(regs, r.Registration)
			}
			if len(regs) == 0 {
				return nil, errors.New("the walk does not show the registration")
			}
			return regs, nil
		})
	}},
}

func (f *fixture) walker() store.Walker {
	f.Helper()
	return f.Walker(f, f.store)
}

func (f *fixture) page(w store.Walker, from store.Cursor, limit int) ([]store.Record, store.Cursor) {
	f.Helper()
	records, next, err := w.Page(f.Context(), from, limit)
	f.must(err, "Page")
	if len(records) > limit {
		f.Fatalf("a page of at most %d rows has %d records", limit, len(records))
	}
	return records, next
}

// walk calls between, if that is not nil, with each page and the cursor of the next one.
func (f *fixture) walk(w store.Walker, from store.Cursor, limit int, between func([]store.Record, store.Cursor)) []store.Record {
	f.Helper()
	const mostPages = 1000 // more than registrations that a check makes
	var all []store.Record
	for range mostPages {
		records, next := f.page(w, from, limit)
		all = append(all, records...)
		if between != nil {
			between(records, next)
		}
		if next == "" {
			return all
		}
		from = next
	}
	f.Fatalf("the walk has not ended after %d pages", mostPages)
	return nil
}

func (f *fixture) segments(w store.Walker, n int) []store.Cursor {
	f.Helper()
	cursors, err := w.Segments(f.Context(), n)
	f.must(err, "Segments")
	if len(cursors) < 1 || len(cursors) > n {
		f.Fatalf("%d segments, want 1 to %d", len(cursors), n)
	}
	return cursors
}

func (f *fixture) walkSegments(w store.Walker, cursors []store.Cursor, limit int) []store.Record {
	f.Helper()
	var all []store.Record
	for _, c := range cursors {
		all = append(all, f.walk(w, c, limit, nil)...)
	}
	return all
}

// walkAnySegments also has segments that are older than rows before, after and
// between the users of that time.
func walkAnySegments(f *fixture) {
	w := f.walker()
	early := f.segments(w, 3)
	h := f.assorted()
	f.wantRecords("the segments that are older than the rows", h, everything, f.walkSegments(w, early, 2))
	for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 100} {
		limit := 2
		if n > 7 {
			limit = 1000
		}
		f.wantRecords("the segments", h, everything, f.walkSegments(w, f.segments(w, n), limit))
	}
	f.segments(w, math.MaxInt)
	early = f.segments(w, 4)
	for i, user := range []tokens.UserID{"!", "Zoe", "alicf", "zoe", "\U0010ffff"} {
		f.put(h, request(user, phone, token(500+i)))
	}
	f.wantRecords("the segments that are older than some rows", h, everything, f.walkSegments(w, early, 2))
}

// walkWhileWriting registers and erases other devices between two pages. Those that are
// stored throughout are registered again or logged out. Each page shows the current data.
func walkWhileWriting(f *fixture) {
	for _, limit := range []int{1, 3} {
		h := holding{}
		for i := range 5 {
			for j, user := range []tokens.UserID{alice, bob, "carol"} {
				f.put(h, request(user, device(10*i), token(100*i+j)))
			}
			f.clock.advance(time.Second)
		}
		n, throughout := 1000, keysOf(h)
		all := f.walk(f.walker(), "", limit, func(records []store.Record, _ store.Cursor) {
			f.wantHeld("the page", h, records)
			f.disturb(h, throughout, n)
			n++
		})
		for _, k := range throughout {
			if !shows(all, k) {
				f.Errorf("the walk does not show %v, which was stored throughout", k)
			}
		}
		for k := range h {
			f.delete(k)
		}
	}
}

func keysOf(h holding) []tokens.Key {
	return slices.SortedFunc(maps.Keys(h), func(a, b tokens.Key) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID))
	})
}

// disturb changes a third of the registrations that are stored throughout, and makes and
// erases others before, after and between them.
func (f *fixture) disturb(h holding, throughout []tokens.Key, n int) {
	f.Helper()
	now := f.clock.Now()
	for i, k := range throughout {
		switch (i + n) % 9 {
		case 0: // a refresh
			f.clock.set(now.Add(time.Duration(n%3-1) * time.Hour))
			f.put(h, request(k.UserID, k.DeviceID, h[k].Token))
		case 3:
			f.put(h, request(k.UserID, k.DeviceID, token(100_000-100*n-i)))
		case 6:
			f.deactivate(k)
			if h[k].Active() {
				h[k].Status = tokens.LoggedOut
			}
		}
		f.clock.set(now)
	}
	passers := []tokens.UserID{"aaron", alice, bob, "bobby", "zoe"}
	for i := range 2 {
		user := passers[(2*n+i)%len(passers)]
		passing := key(user, device(10*(n%7)+5))
		if _, stored := h[passing]; stored {
			f.delete(passing)
			delete(h, passing)
		} else {
			f.put(h, request(passing.UserID, passing.DeviceID, token(200_000+100*n+i)))
		}
	}
	f.clock.advance(time.Minute)
}

// walkResumed uses each cursor again: at once, after a page that failed, and a day later
// with another walker.
func walkResumed(f *fixture) {
	h, w := f.assorted(), f.walker()
	done, cancel := context.WithCancel(f.Context())
	cancel()
	for _, first := range append(f.segments(w, 3), "") {
		shown := 0
		kept := map[store.Cursor]int{} // the number of records before it
		all := f.walk(w, first, 2, func(records []store.Record, next store.Cursor) {
			shown += len(records)
			if next == "" {
				return
			}
			if _, _, err := w.Page(done, next, 2); err == nil {
				f.Error("Page with a done context returns no error")
			}
			kept[store.Cursor(strings.Clone(string(next)))] = shown
			f.page(w, next, 2)
		})
		if first == "" {
			f.wantRecords("the walk", h, everything, all)
		}
		f.clock.advance(24 * time.Hour)
		for from, before := range kept {
			rest := func(k tokens.Key) bool { return shows(all[before:], k) }
			f.wantRecords("the resumed walk", h, rest, f.walk(f.walker(), from, 3, nil))
		}
	}
}

var (
	badLimit  = bad(store.FieldLimit, tokens.CodeMalformed)
	badCursor = bad(store.FieldCursor, tokens.CodeMalformed)
)

func invalidPage(f *fixture) {
	f.assorted()
	w := f.walker()
	for _, n := range []int{0, -1, math.MinInt} {
		f.refuses(pageCall(w, "", n), badLimit)
	}
	var valid store.Cursor
	for _, c := range append(f.segments(w, 3), "") {
		_, next := f.page(w, c, 1)
		valid = max(valid, next)
	}
	if valid == "" {
		f.Fatal("no walk has a second page")
	}
	for _, bad := range []store.Cursor{
		marker, "0", "-", " ", "\x00", "\xff", "null", "[]", `["a","b","c"]`, "W10", // [] in base64
		valid + "!", valid + "\n", " " + valid, valid + valid,
	} {
		f.refuses(pageCall(w, bad, 2), badCursor)
	}
	f.refuses(pageCall(w, marker, 0), badCursor, badLimit)
}
