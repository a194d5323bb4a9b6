package memory

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

// A measured has the measured methods of a store.Store.
type measured interface {
	Register(context.Context, tokens.Request) (store.Result, error)
	Get(context.Context, tokens.Key) (tokens.Registration, error)
	List(context.Context, tokens.UserID) ([]tokens.Registration, error)
}

var (
	_ measured = (*maps)(nil)
	_ measured = (*memstore.Store)(nil)
)

var implementations = []struct {
	name string
	open func(store.Policy) measured
}{
	{"maps", func(p store.Policy) measured { return newMaps(p) }},
	{"memstore", func(p store.Policy) measured { return memstore.MustNew(p) }},
}

// A request is that of a device. Every call makes strings of its own, as HTTP
// requests do.
func request(user, device, token int) tokens.Request {
	return tokens.Request{
		Key: tokens.Key{
			UserID:   tokens.UserID(fmt.Sprintf("7c9e6679-7425-40de-944b-%012d", user)),
			DeviceID: tokens.DeviceID(fmt.Sprintf("%08X-1B4E-4C3D-9A5F-6E7D8C9B0A1F", device)),
		},
		Token:     tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[%022d]", token)),
		Platform:  tokens.IOS,
		ProjectID: tokens.ProjectID(fmt.Sprintf("0f9a3b52-6f5e-4b8e-9d0c-%012d", 1)),
	}
}

// BenchmarkMemory measures calls on a store of 10,000 registrations, two of each
// user.
func BenchmarkMemory(b *testing.B) {
	const (
		registrations = 10_000
		calls         = 10_000 // prepared: making the strings of a call takes longer than the call
	)
	// The n-th call is about this registration, far from that of the last call.
	of := func(n int) int { return n * 7_919 % registrations }
	for _, op := range []struct {
		name    string
		request func(n int) tokens.Request
		call    func(context.Context, measured, tokens.Request) error
	}{
		{"refresh", func(n int) tokens.Request { return request(of(n)/2, of(n), of(n)) }, register},
		// Two tokens, or two users, take turns.
		{"replace", func(n int) tokens.Request { return request(0, 0, registrations+n%2) }, register},
		{"move", func(n int) tokens.Request { return request(registrations+n%2, 0, registrations+2) }, register},
		{"get", func(n int) tokens.Request { return request(of(n)/2, of(n), of(n)) },
			func(ctx context.Context, s measured, r tokens.Request) error { _, err := s.Get(ctx, r.Key); return err }},
		{"list", func(n int) tokens.Request { return request(of(n)/2, of(n), of(n)) },
			func(ctx context.Context, s measured, r tokens.Request) error {
				regs, err := s.List(ctx, r.Key.UserID)
				if err == nil && len(regs) != 2 {
					err = fmt.Errorf("%d registrations are listed, want 2", len(regs))
				}
				return err
			}},
	} {
		prepared := make([]tokens.Request, calls)
		for n := range prepared {
			prepared[n] = op.request(n)
		}
		for _, impl := range implementations {
			b.Run(op.name+"/impl="+impl.name, func(b *testing.B) {
				s := impl.open(store.Policy{})
				for i := range registrations {
					if err := register(b.Context(), s, request(i/2, i, i)); err != nil {
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

func register(ctx context.Context, s measured, r tokens.Request) error {
	_, err := s.Register(ctx, r)
	return err
}

// TestSameAnswers makes random calls of a few users with a few devices and
// compares the answers.
func TestSameAnswers(t *testing.T) {
	exactly := cmp.Comparer(func(a, b tokens.Token) bool { return a.Reveal() == b.Reveal() })
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, time.November, 23, 9, 26, 53, 589_000_000, time.UTC)
		var stores []measured
		for _, impl := range implementations {
			stores = append(stores, impl.open(store.Policy{Now: func() time.Time { return now }}))
		}
		draw := func(t *rapid.T) tokens.Request {
			return tokens.Request{
				Key: tokens.Key{
					UserID:   rapid.SampledFrom([]tokens.UserID{"", "alice", "alice2", "bob"}).Draw(t, "user"),
					DeviceID: rapid.SampledFrom([]tokens.DeviceID{"a", "b", "c"}).Draw(t, "device"),
				},
				Token:    tokens.MustParseToken(fmt.Sprintf("ExpoPushToken[%d]", rapid.IntRange(0, 4).Draw(t, "token"))),
				Platform: tokens.Android,
			}
		}
		compare := func(t *rapid.T, call func(measured) (any, error)) {
			t.Helper()
			type answer struct{ Got, Err any }
			answers := make([]answer, len(stores))
			for i, s := range stores {
				got, err := call(s)
				answers[i] = answer{Got: got, Err: err}
				var invalid *tokens.InvalidError
				if errors.As(err, &invalid) {
					answers[i].Err = invalid.Fields
				} else if err != nil {
					answers[i].Err = err.Error()
				}
			}
			if diff := cmp.Diff(answers[0], answers[1], exactly); diff != "" {
				t.Fatalf("answers (-maps +memstore):\n%s", diff)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"register": func(t *rapid.T) {
				r := draw(t)
				compare(t, func(s measured) (any, error) { return s.Register(t.Context(), r) })
			},
			"get": func(t *rapid.T) {
				key := draw(t).Key
				compare(t, func(s measured) (any, error) { return s.Get(t.Context(), key) })
			},
			"list": func(t *rapid.T) {
				user := draw(t).Key.UserID
				compare(t, func(s measured) (any, error) { return s.List(t.Context(), user) })
			},
			"clock": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "ms")) * time.Millisecond)
			},
		})
	})
}
