package sender

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
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

// A backoff counts consecutive attempts.
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
