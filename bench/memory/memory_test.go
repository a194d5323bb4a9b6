package memory

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestSameAnswers makes any calls that are measured, of few users with few
// devices, and compares the answers of all contenders.
func TestSameAnswers(t *testing.T) {
	exactly := cmp.Comparer(func(a, b tokens.Token) bool { return a.Reveal() == b.Reveal() })
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, time.November, 23, 9, 26, 53, 589_000_000, time.UTC)
		stores := make(map[string]Store)
		for _, c := range Contenders() {
			stores[c.Name] = c.New(store.Policy{Now: func() time.Time { return now }})
		}
		users := rapid.SampledFrom([]tokens.UserID{"", "alice", "alice2", "bob"})
		devices := []tokens.DeviceID{"a", "b", "c"}
		draw := func(t *rapid.T) tokens.Request {
			return tokens.Request{
				Key:      tokens.Key{UserID: users.Draw(t, "user"), DeviceID: rapid.SampledFrom(devices).Draw(t, "device")},
				Token:    tokens.MustParseToken(fmt.Sprintf("ExpoPushToken[%d]", rapid.IntRange(0, 4).Draw(t, "token"))),
				Platform: tokens.Android,
			}
		}
		type answer struct{ Got, Err any }
		compare := func(t *rapid.T, do func(Store) (any, error)) {
			t.Helper()
			var want answer
			for i, c := range Contenders() {
				got, err := do(stores[c.Name])
				a := answer{Got: got}
				var invalid *tokens.InvalidError
				if errors.As(err, &invalid) {
					a.Err = invalid.Fields
				} else if err != nil {
					a.Err = err.Error()
				}
				if i == 0 {
					want = a
				} else if diff := cmp.Diff(want, a, exactly); diff != "" {
					t.Fatalf("%s answers (-%s +%[1]s):\n%s", c.Name, TwoMaps, diff)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"register": func(t *rapid.T) {
				req := draw(t)
				compare(t, func(s Store) (any, error) { return s.Register(t.Context(), req) })
			},
			"get": func(t *rapid.T) {
				key := draw(t).Key
				compare(t, func(s Store) (any, error) { return s.Get(t.Context(), key) })
			},
			"list": func(t *rapid.T) {
				user := users.Draw(t, "user")
				compare(t, func(s Store) (any, error) { return s.List(t.Context(), user, devices) })
			},
			"delete": func(t *rapid.T) {
				key := draw(t).Key
				compare(t, func(s Store) (any, error) { return nil, s.Delete(t.Context(), key) })
			},
			"clock": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "ms")) * time.Millisecond)
			},
		})
	})
}

// TestWorkload: the registrations of a workload do not collide, and an order
// goes over all of them.
func TestWorkload(t *testing.T) {
	w := Workload{Registrations: 1_000, Devices: 20}
	keys, hashes, users := map[tokens.Key]bool{}, map[[32]byte]bool{}, map[tokens.UserID]int{}
	visited := make([]int, 0, w.Registrations)
	for i := range w.Registrations {
		for _, req := range []tokens.Request{w.Request(i), w.moved(i), fresh(w, i).Request} {
			keys[req.Key] = true
			users[req.Key.UserID]++
		}
		hashes[w.Request(i).Token.Hash()] = true
		hashes[w.replaced(i).Token.Hash()] = true
		hashes[fresh(w, i).Request.Token.Hash()] = true
		visited = append(visited, w.scattered(i))
	}
	if want := 3 * w.Registrations; len(keys) != want || len(hashes) != want {
		t.Errorf("%d keys and %d tokens, want %d of each", len(keys), len(hashes), want)
	}
	if want := 2*w.Registrations/w.Devices + w.Registrations; len(users) != want {
		t.Errorf("%d users, want %d", len(users), want)
	}
	slices.Sort(visited)
	if len(slices.Compact(visited)) != w.Registrations {
		t.Errorf("%d registrations were visited, want %d", len(visited), w.Registrations)
	}
}

// TestRounds measures twice what a run measures often: each operation does what
// its name says, and leaves the store as it was.
func TestRounds(t *testing.T) {
	w := Workload{Registrations: Batch, Devices: 2}
	var stores []Filled
	for _, c := range Contenders() {
		s, err := Fill(c.New(store.Policy{}), w)
		if err != nil {
			t.Fatal(err)
		}
		if s.Bytes <= 0 {
			t.Errorf("%s takes %d bytes a registration", c.Name, s.Bytes)
		}
		stores = append(stores, s)
	}
	outcomes := map[string]store.Result{
		"refresh": {Outcome: store.Refreshed},
		"new":     {Outcome: store.Created},
		"replace": {Outcome: store.Replaced},
		"move":    {Outcome: store.Created, MovedFrom: w.Request(w.scattered(0)).Key},
	}
	for _, op := range Operations() {
		for _, mode := range []Mode{Serial, Parallel} {
			took, err := Rounds(op, w, mode, stores, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(took) != len(stores) || slices.Min(slices.Concat(took...)) <= 0 {
				t.Errorf("%s, %s: %v", op.Name, mode, took)
			}
		}
		want, registers := outcomes[op.Name]
		if !registers {
			continue
		}
		args := op.Args(w, 0)
		for i, c := range Contenders() {
			got, err := stores[i].Register(t.Context(), args.Request)
			if err != nil {
				t.Fatal(err)
			}
			got.Registration = tokens.Registration{}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s of %s (-want +got):\n%s", op.Name, c.Name, diff)
			}
			if op.Undo != nil {
				if err := op.Undo(stores[i], args); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
