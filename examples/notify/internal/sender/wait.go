package sender

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
)

// A gate lets the requests of one project through: at an even rate, and none
// while Expo wants to be left alone.
//
// It counts a request as a full one, however many messages are in it. By
// messages, a burst of small requests could bring more into one second than the
// rate says.
//
// A request that passed may be held up before it leaves, by the registry or by
// the disk. So that it does not come on top of those of a later second, its slot
// is free again only when it has left long enough ago.
type gate struct {
	limiter *rate.Limiter
	slots   chan struct{} // as many as requests may leave within window
	window  time.Duration
	mu      sync.Mutex
	closed  time.Time // until then
}

// newGate makes slots for a second's requests, rounded up, and a window that is
// as much longer than the second.
func newGate(perSecond float64) *gate {
	requests := perSecond / expo.MaxMessages
	slots := math.Ceil(min(requests, 1000))
	return &gate{
		limiter: rate.NewLimiter(rate.Limit(requests), 1),
		slots:   make(chan struct{}, int(slots)),
		window:  time.Duration(min(slots/requests, 1e9) * float64(time.Second)),
	}
}

// pass waits for a slot and for the rate. What has passed leaves, or gives its
// slot back.
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

// leave is called when a request that has passed is made.
func (g *gate) leave() { time.AfterFunc(g.window, g.giveBack) }

// giveBack is called when it is not made.
func (g *gate) giveBack() { <-g.slots }

// close holds all requests of the project back, not only the one refused.
func (g *gate) close(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.closed) {
		g.closed = until
	}
}

// The waits between repeats: a second, then up to twice as long each time, up
// to a minute.
const (
	firstWait = time.Second
	lastWait  = time.Minute
)

// The waits between messages to a device that is sent to too fast: Expo asks for
// backoff, and for slow repeats.
const (
	slowWait = time.Minute
	mostSlow = 5 // repeats of a message, with the waits 1, 2, 4, 8 and 16 minutes
)

// slowly is when to send again to a device that has been too fast that many
// times.
func slowly(times int) time.Time {
	wait := slowWait << (times - 1)
	return time.Now().Add(wait + rand.N(wait/4))
}

// A backoff counts attempts in a row.
type backoff struct{ made, most int }

func (s *Sender) backoff() *backoff { return &backoff{most: s.o.Attempts} }

// delay is how long to wait now: at least what the server asked for, and half
// of it left to chance, so that many callers do not come back at once.
func (b *backoff) delay(atLeast time.Duration) time.Duration {
	wait := min(lastWait, firstWait<<min(b.made, 10))
	return max(atLeast, wait/2+rand.N(wait/2))
}

// failed counts an attempt, and is an error after the last one.
func (b *backoff) failed() error {
	if b.made++; b.made >= b.most {
		return fmt.Errorf("%w after %d attempts", ErrGaveUp, b.made)
	}
	return nil
}

// next waits before the next attempt.
func (b *backoff) next(ctx context.Context, atLeast time.Duration) error {
	if err := b.failed(); err != nil {
		return err
	}
	return sleep(ctx, b.delay(atLeast))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
