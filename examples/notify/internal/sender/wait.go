package sender

import (
	"context"
	"fmt"
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
type gate struct {
	limiter *rate.Limiter
	mu      sync.Mutex
	closed  time.Time // until then
}

func (s *Sender) gate(quota string) *gate {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.gates[quota]
	if g == nil {
		g = &gate{limiter: rate.NewLimiter(rate.Limit(s.o.PerSecond/expo.MaxMessages), 1)}
		s.gates[quota] = g
	}
	return g
}

func (g *gate) pass(ctx context.Context) error {
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
