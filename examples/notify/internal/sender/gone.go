package sender

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// fewAnswers are too few to tell from them that too many devices are gone.
const fewAnswers = 50

// held returns [ErrHeld] and why if too many answers of the job, in all of its
// runs, call a device gone: of all of them, of one project, or of the devices of
// one platform in it, which share credentials.
func (s *Sender) held() (held error, err error) {
	var all outbox.Tally
	projects := map[string]outbox.Tally{}
	judge := func(what string, t outbox.Tally) {
		if t.Answers >= fewAnswers && float64(t.Gone)/float64(t.Answers) > s.o.MaxGone {
			held = fmt.Errorf("%w: %d of %d%s", ErrHeld, t.Gone, t.Answers, what)
		}
	}
	err = s.outbox.Tallies(func(quota string, platform tokens.Platform, t outbox.Tally) {
		all = outbox.Tally{Answers: all.Answers + t.Answers, Gone: all.Gone + t.Gone}
		p := projects[quota]
		projects[quota] = outbox.Tally{Answers: p.Answers + t.Answers, Gone: p.Gone + t.Gone}
		judge(fmt.Sprintf(" for %s of project %q", platform, quota), t)
	})
	for quota, t := range projects {
		judge(fmt.Sprintf(" for project %q", quota), t)
	}
	judge("", all)
	return held, err
}

// invalidateEarly invalidates when receipts are late, if all were asked for once:
// a few that never come would hold the others up for a day.
func (s *Sender) invalidateEarly(ctx context.Context) error {
	if unasked, err := s.outbox.Unasked(); unasked || err != nil {
		return err
	}
	_, err := s.invalidate(ctx)
	return err
}

// someGone is how many devices are told to the registry between two writes of
// the outbox.
const someGone = 100

// invalidate tells the registry of devices that are gone, unless so many are that
// it is not to be believed: then held says so.
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

// invalidateSome invalidates some. Doing it again after a crash changes nothing.
func (s *Sender) invalidateSome(ctx context.Context, gone []outbox.Gone) error {
	calls, callCtx := errgroup.WithContext(ctx)
	calls.SetLimit(s.o.Reads)
	for _, g := range gone {
		calls.Go(func() error { return s.tell(callCtx, g) })
	}
	if err := calls.Wait(); err != nil {
		return fmt.Errorf("invalidate: %w", err)
	}
	if err := s.o.step("invalidated"); err != nil {
		return err
	}
	return s.outbox.Told(gone, outbox.Counts{Invalidated: len(gone)})
}

// tell tells the store of one. The store leaves a registration alone that has
// another token, or was registered again since.
func (s *Sender) tell(ctx context.Context, g outbox.Gone) error {
	for wait := s.backoff(); ; {
		err := s.registry.Invalidate(ctx, g.Key(), g.Hash, g.SentAt)
		if !errors.Is(err, store.ErrTryAgain) {
			return err
		}
		if wait := wait.next(ctx, 0); wait != nil {
			return fmt.Errorf("%w: %w", wait, err)
		}
	}
}
