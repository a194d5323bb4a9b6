package sender

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
)

// A gate limits the rate of one project's requests, and stops them while Expo asks for
// a pause.
//
// It counts every request as full. If it counted messages, a burst of small requests
// could exceed the rate within one second.
//
// The registry or the disk may delay a request between pass and leave. Its slot becomes
// free only one window after leave, so that a delayed request does not add to those of a
// later second.
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

// leave is called when the request is made.
func (g *gate) leave() { time.AfterFunc(g.window, g.giveBack) }

// giveBack is called when the request is not made.
func (g *gate) giveBack() { <-g.slots }

// close delays all requests of the project, not only the refused one.
func (g *gate) close(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.closed) {
		g.closed = until
	}
}
