package sender

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// fewAnswers is the number of answers below which their share of gone devices means
// nothing.
const fewAnswers = 50

// held returns an error that matches [ErrHeld] if too many answers, in all runs of the
// job, report a device as gone. It judges all answers together, those of each project,
// and those of each platform of a project, whose devices share credentials.
func (s *Sender) held() (held error, err error) {
	tallies, err := s.outbox.Tallies()
	sums := map[string]outbox.Tally{}
	for of, t := range tallies {
		for _, name := range []string{"", fmt.Sprintf(" for project %q", of.Quota), fmt.Sprintf(" for %s of project %q", of.Platform, of.Quota)} {
			sums[name] = outbox.Tally{Answers: sums[name].Answers + t.Answers, Gone: sums[name].Gone + t.Gone}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		if t := sums[name]; t.Answers >= fewAnswers && float64(t.Gone)/float64(t.Answers) > s.o.MaxGone {
			return fmt.Errorf("%w: %d of %d%s; check the credentials, or run the command again with -max-gone 100", ErrHeld, t.Gone, t.Answers, name), err
		}
	}
	return nil, err
}

// invalidateEarly invalidates devices while receipts are still missing, if each was asked
// for once. Otherwise a few receipts that never come would delay it for a day.
func (s *Sender) invalidateEarly(ctx context.Context) error {
	if unasked, err := s.outbox.Unasked(); unasked || err != nil {
		return err
	}
	_, err := s.invalidate(ctx)
	return err
}

// someGone is the number of devices that are invalidated between two writes of the
// outbox.
const someGone = 100

// invalidate invalidates the registrations of devices that are gone, unless there are too
// many to trust the answers. In that case it returns the error of held.
func (s *Sender) invalidate(ctx context.Context) (held error, err error) {
	for {
		gone, err := s.outbox.Gone(someGone)
		if err != nil || len(gone) == 0 {
			return nil, err
		}
		if held, err := s.held(); held != nil || err != nil {
			return held, err
		}
		if err := s.invalidateSome(ctx, gone); err != nil {
			return nil, err
		}
	}
}

// invalidateSome invalidates some registrations. It is idempotent, so it may be repeated
// after a crash. The store does not change a registration that has another token or was
// registered again after the message.
func (s *Sender) invalidateSome(ctx context.Context, gone []outbox.Gone) error {
	calls, callCtx := errgroup.WithContext(ctx)
	calls.SetLimit(reads)
	for _, g := range gone {
		calls.Go(func() error {
			return s.retry(callCtx, func() error { return s.registry.Invalidate(callCtx, g.Key(), g.Hash, g.SentAt) })
		})
	}
	if err := calls.Wait(); err != nil {
		return fmt.Errorf("invalidate: %w", err)
	}
	if err := s.o.step("invalidated"); err != nil {
		return err
	}
	return s.outbox.Told(gone, outbox.Counts{Invalidated: len(gone)})
}
