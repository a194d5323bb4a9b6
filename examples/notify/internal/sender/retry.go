package sender

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/store"
)

// The delays between retries: one second, doubled each time, up to a minute.
const (
	firstWait = time.Second
	lastWait  = time.Minute
)

// The delays between messages to a device that receives too many: Expo asks for
// exponential backoff and a slow retry.
const (
	slowWait = time.Minute
	mostSlow = 5 // retries of a message, after 1, 2, 4, 8 and 16 minutes
)

// slowly returns when to send again to a device for which Expo has answered
// MessageRateExceeded that many times.
func slowly(times int) time.Time {
	wait := slowWait << (times - 1)
	return time.Now().Add(wait + rand.N(wait/4))
}

type backoff struct{ made, most int }

func (s *Sender) backoff() *backoff { return &backoff{most: s.o.Attempts} }

// delay returns the delay before the next attempt: at least the delay that the
// server asked for, with jitter, so that many callers do not retry at once.
func (b *backoff) delay(atLeast time.Duration) time.Duration {
	wait := min(lastWait, firstWait<<min(b.made, 10))
	return max(atLeast, wait/2+rand.N(wait/2))
}

// failed counts an attempt and returns an error after the last one.
func (b *backoff) failed() error {
	if b.made++; b.made >= b.most {
		return fmt.Errorf("%w after %d attempts", ErrGaveUp, b.made)
	}
	return nil
}

func (b *backoff) next(ctx context.Context, atLeast time.Duration) error {
	if err := b.failed(); err != nil {
		return err
	}
	return sleep(ctx, b.delay(atLeast))
}

// retry calls the registry until it returns another error than [store.ErrTryAgain].
func (s *Sender) retry(ctx context.Context, call func() error) error {
	for wait := s.backoff(); ; {
		err := call()
		if !errors.Is(err, store.ErrTryAgain) {
			return err
		}
		if wait := wait.next(ctx, 0); wait != nil {
			return fmt.Errorf("%w: %w", wait, err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A gate limits the rate of one project's requests, and stops them while Expo asks for
// a pause. It counts every request as full. A slot becomes free one window after its
// request has left, so that a request that the registry or the disk delays does not exceed
// the rate of a later second.
type gate struct {
	limiter *rate.Limiter
	slots   chan struct{} // its capacity is the number of requests that may leave within window
	window  time.Duration
	mu      sync.Mutex
	closed  time.Time // no request passes before
}

// newGate makes as many slots as requests per second, rounded up, and makes the window
// longer than a second by the same factor.
func newGate(perSecond float64) *gate {
	requests := perSecond / expo.MaxMessages
	slots := math.Ceil(min(requests, 1000))
	return &gate{
		limiter: rate.NewLimiter(rate.Limit(requests), 1),
		slots:   make(chan struct{}, int(slots)),
		window:  time.Duration(min(slots/requests, 1e9) * float64(time.Second)),
	}
}

// pass waits for a slot and for the rate. Afterwards the caller calls leave or giveBack.
func (g *gate) pass(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		g.mu.Lock()
		closed := time.Until(g.closed)
		g.mu.Unlock()
		if closed <= 0 {
			return g.limiter.Wait(ctx)
		}
		if err := sleep(ctx, closed); err != nil {
			return err
		}
	}
}

// leave is called when the request is made, giveBack when it is not.
func (g *gate) leave() { time.AfterFunc(g.window, g.giveBack) }

func (g *gate) giveBack() { <-g.slots }

// close delays all requests of the project, not only the refused one.
func (g *gate) close(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.closed) {
		g.closed = until
	}
}
