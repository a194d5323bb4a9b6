package bench

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

type inMemory interface {
	registrar
	Get(context.Context, tokens.Key) (tokens.Registration, error)
}

var memories = []struct {
	name string
	open func(store.Policy) inMemory
}{
	{"maps", func(p store.Policy) inMemory { return newMaps(p) }},
	{"memstore", func(p store.Policy) inMemory { return memstore.MustNew(p) }},
}

// BenchmarkMemory measures calls on a store of 10,000 registrations, two of each user.
func BenchmarkMemory(b *testing.B) {
	const (
		registrations = 10_000
		calls         = 10_000 // prepared: making the strings of a call takes longer than the call
	)
	// The n-th call is about a registration far from that of the last call.
	stored := func(n int) tokens.Request {
		n = n * 7_919 % registrations
		return request(n/2, n, n)
	}
	registering := func(want store.Outcome) func(context.Context, inMemory, tokens.Request) error {
		return func(ctx context.Context, s inMemory, r tokens.Request) error { return register(ctx, s, r, want) }
	}
	for _, op := range []struct {
		name    string
		request func(n int) tokens.Request
		call    func(context.Context, inMemory, tokens.Request) error
	}{
		{"refresh", stored, registering(store.Refreshed)},
		// Two tokens, or two users, take turns.
		{"replace", func(n int) tokens.Request { return request(0, 0, registrations+n%2) }, registering(store.Replaced)},
		{"move", func(n int) tokens.Request { return request(registrations+n%2, 0, registrations+2) }, registering(store.Created)},
		{"get", stored, func(ctx context.Context, s inMemory, r tokens.Request) error { _, err := s.Get(ctx, r.Key); return err }},
		{"list", stored, func(ctx context.Context, s inMemory, r tokens.Request) error { return list(ctx, s, r.Key.UserID, 2) }},
	} {
		prepared := make([]tokens.Request, calls)
		for n := range prepared {
			prepared[n] = op.request(n)
		}
		for _, impl := range memories {
			b.Run(op.name+"/impl="+impl.name, func(b *testing.B) {
				s := impl.open(store.Policy{})
				for n := range registrations {
					if err := register(b.Context(), s, request(n/2, n, n), store.Created); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportAllocs()
				for n := 0; b.Loop(); n++ {
					if err := op.call(b.Context(), s, prepared[n%calls]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestMemoryAnswers compares the answers to random calls of a few users with a few
// devices.
func TestMemoryAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := now
		var stores []inMemory
		for _, impl := range memories {
			stores = append(stores, impl.open(store.Policy{Now: func() time.Time { return at }}))
		}
		compare := func(t *rapid.T, call func(inMemory, tokens.Request) (any, error)) {
			t.Helper()
			r := tokens.Request{
				Key: tokens.Key{
					UserID:   rapid.SampledFrom([]tokens.UserID{"", "alice", "alice2", "bob"}).Draw(t, "user"),
					DeviceID: rapid.SampledFrom([]tokens.DeviceID{"a", "b", "c"}).Draw(t, "device"),
				},
				Token:    tokens.MustParseToken(fmt.Sprintf("ExpoPushToken[%d]", rapid.IntRange(0, 4).Draw(t, "token"))),
				Platform: tokens.Android,
			}
			type answer struct{ Got, Err any }
			var answers []answer
			for _, s := range stores {
				got, err := call(s, r)
				a := answer{Got: got}
				var invalid *tokens.InvalidError
				if errors.As(err, &invalid) {
					a.Err = invalid.Fields
				} else if err != nil {
					a.Err = err.Error()
				}
				answers = append(answers, a)
			}
			if diff := cmp.Diff(answers[0], answers[1], exactly); diff != "" {
				t.Fatalf("answers (-maps +memstore):\n%s", diff)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"register": func(t *rapid.T) {
				compare(t, func(s inMemory, r tokens.Request) (any, error) { return s.Register(t.Context(), r) })
			},
			"get": func(t *rapid.T) {
				compare(t, func(s inMemory, r tokens.Request) (any, error) { return s.Get(t.Context(), r.Key) })
			},
			"list": func(t *rapid.T) {
				compare(t, func(s inMemory, r tokens.Request) (any, error) { return s.List(t.Context(), r.Key.UserID) })
			},
			"clock": func(t *rapid.T) {
				at = at.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "ms")) * time.Millisecond)
			},
		})
	})
}
