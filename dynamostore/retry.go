package dynamostore

import (
	"context"
	"math/rand/v2"
	"time"
)

// A backoff waits between two tries of a contended write: a few milliseconds at
// first, about as long as a transaction takes, then twice as long each time.
type backoff struct{ tries int }

const (
	firstWait = 5 * time.Millisecond
	maxWait   = 160 * time.Millisecond
)

// next waits, or returns the context's error as soon as it is done.
func (b *backoff) next(ctx context.Context) error {
	wait := min(firstWait<<min(b.tries, 10), maxWait)
	b.tries++
	// Between half of it and the whole, so that two callers that met once do
	// not meet each time.
	timer := time.NewTimer(wait/2 + rand.N(wait/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commit makes the writes of plan in one transaction. Where it is refused, what
// the refusal says reaches plan through the writes' refused functions, and plan
// is asked again. No writes means that there is nothing left to do.
func (op *operation) commit(ctx context.Context, plan func() ([]write, error)) error {
	var wait backoff
	for try := 1; ; try++ {
		writes, err := plan()
		if err != nil || len(writes) == 0 {
			return err
		}
		result, err := op.transact(ctx, writes)
		switch {
		case result == committed:
			return nil
		case result == failed || try >= op.maxAttempts:
			return err
		case result == refused && try == 1:
			continue // the first refusal is how the way is found
		}
		if err := wait.next(ctx); err != nil {
			return op.canceled(err)
		}
	}
}
