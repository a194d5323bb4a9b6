package dynamostore

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/devicetokens/devicetokens/store"
)

// TestBackoff waits on a bubble's clock: between half of the wait and the whole,
// which doubles from 5 to 160 milliseconds.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		longest := time.Duration(0)
		for range 50 { // the waits are random
			var b backoff
			for try, whole := range []time.Duration{5, 10, 20, 40, 80, 160, 160, 160, 160, 160, 160, 160, 160, 160} {
				whole *= time.Millisecond
				began := time.Now()
				if err := b.next(t.Context()); err != nil {
					t.Fatal(err)
				}
				if waited := time.Since(began); waited < whole/2 || waited >= whole {
					t.Fatalf("wait %d took %v, want from %v to %v", try+1, waited, whole/2, whole)
				}
				longest = max(longest, time.Since(began))
			}
		}
		if longest < 150*time.Millisecond {
			t.Errorf("450 waits of up to 160ms took %v at most", longest)
		}
	})
}

// TestBackoffEndsWithItsContext at once, with the context's error.
func TestBackoffEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		began := time.Now()
		var b backoff
		if err := b.next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		if waited := time.Since(began); waited != time.Millisecond {
			t.Errorf("it took %v, want 1ms", waited)
		}
	})
}

// TestCommitOfNothing calls nothing: the store has no client.
func TestCommitOfNothing(t *testing.T) {
	failed := errors.New("no plan")
	for _, tt := range []struct {
		name string
		err  error
	}{{"nothing left to do", nil}, {"no plan", failed}} {
		o := (&Store{maxAttempts: 3}).beginWrite(store.OpDelete)
		plans := 0
		err := o.commit(t.Context(), func() ([]write, error) {
			plans++
			return nil, tt.err
		})
		if !errors.Is(err, tt.err) || plans != 1 {
			t.Errorf("%s: got %v after %d plans", tt.name, err, plans)
		}
	}
}
