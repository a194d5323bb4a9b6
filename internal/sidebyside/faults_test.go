package sidebyside

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestNoticed checks that the sequences notice four stores that differ.
func TestNoticed(t *testing.T) {
	client := dynamotest.Client(t, nil)
	// The usual forty sequences missed a difference once in seven runs.
	for name, value := range map[string]string{"rapid.checks": "400", "rapid.shrinktime": "0s", "rapid.nofailfile": "true"} {
		old := flag.Lookup(name).Value.String()
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set(name, old) })
	}
	for name, wrap := range map[string]func(store.Store) store.Store{
		"an answer":  func(s store.Store) store.Store { return silent{s} },
		"a spelling": func(s store.Store) store.Store { return stubborn{s} },
		"an error":   func(s store.Store) store.Store { return forgetful{s} },
		"a row":      func(s store.Store) store.Store { return idle{s} },
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				play(t, r, client, wrap)
			}()
			<-done
			if !strings.Contains(r.text, "want +got") && !strings.Contains(r.text, "rows (") {
				t.Errorf("no difference was noticed, but %q", r.text)
			}
		})
	}
}

type silent struct{ store.Store }

func (s silent) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	result, err := s.Store.Register(ctx, req)
	result.MovedFrom = tokens.Key{}
	return result, err
}

// stubborn returns the spelling without brackets.
type stubborn struct{ store.Store }

func (s stubborn) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	result, err := s.Store.Register(ctx, req)
	for n := range tokenCount {
		if bare := spelled(n, 2); bare.Equal(result.Registration.Token) {
			result.Registration.Token = bare
		}
	}
	return result, err
}

// forgetful finds no inactive registration.
type forgetful struct{ store.Store }

func (s forgetful) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	reg, err := s.Store.Get(ctx, key)
	if err == nil && !reg.Active() {
		return tokens.Registration{}, store.ErrNotFound
	}
	return reg, err
}

type idle struct{ store.Store }

func (s idle) Delete(ctx context.Context, key tokens.Key) error {
	if err := key.Validate(); err != nil {
		return err
	}
	return ctx.Err()
}

// A recorder is a test that records its failure.
type recorder struct {
	testing.TB
	failed bool
	text   string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failed = true
	r.text += fmt.Sprintf(format, args...) + "\n"
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	r.FailNow()
}

func (r *recorder) FailNow()            { runtime.Goexit() }
func (r *recorder) Failed() bool        { return r.failed }
func (r *recorder) Logf(string, ...any) {}
func (r *recorder) Log(...any)          {}
