package sender

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// read reads the registrations of w again and drops recipients that are no longer
// registered. It returns ready if w can be sent. Otherwise w has become empty or has a
// recipient of another project, and read returns the batches that replace it.
func (s *Sender) read(ctx context.Context, w *work) (instead []*work, ready bool, err error) {
	began := time.Now()
	registrations := make([]tokens.Registration, len(w.Recipients)) // zero: no longer registered
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(s.o.Reads)
	for i, r := range w.Recipients {
		reads.Go(func() (err error) {
			registrations[i], err = s.get(readCtx, r.Key())
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, false, fmt.Errorf("get registration: %w", err)
	}
	byProject := map[tokens.ProjectID][]tokens.Registration{}
	kept := 0
	for _, r := range registrations {
		if r.Active() {
			byProject[r.ProjectID] = append(byProject[r.ProjectID], r)
			kept++
		}
	}
	var works []*work
	for project, some := range byProject {
		for _, part := range batched(project, some, began) {
			if project == w.Project {
				part.Experience = w.Experience
			}
			works = append(works, part)
		}
	}
	w.dropped += len(w.Recipients) - kept
	for _, part := range works {
		part.Slowed = w.Slowed
	}
	if len(works) == 1 && works[0].Quota() == w.Quota() {
		w.Recipients, w.tokens, w.readAt = works[0].Recipients, works[0].tokens, works[0].readAt
		return nil, true, nil
	}
	return works, false, s.replace(w, works)
}

// replace replaces w, which was not sent, with works.
func (s *Sender) replace(w *work, works []*work) error {
	return s.outbox.Replace(w.Batch, batches(works), outbox.Counts{Dropped: w.dropped})
}

// get returns an active registration, or the zero value if there is none. A registration
// that cannot be decoded counts as none, as it does in [store.Store].List.
func (s *Sender) get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	for wait := s.backoff(); ; {
		registration, err := s.registry.Get(ctx, key)
		var corrupt *store.CorruptError
		switch {
		case errors.Is(err, store.ErrNotFound), errors.As(err, &corrupt):
			return tokens.Registration{}, nil
		case !errors.Is(err, store.ErrTryAgain):
			return registration, err
		}
		if wait := wait.next(ctx, 0); wait != nil {
			return tokens.Registration{}, fmt.Errorf("%w: %w", wait, err)
		}
	}
}

func batches(works []*work) []*outbox.Batch {
	all := make([]*outbox.Batch, len(works))
	for i, w := range works {
		all[i] = w.Batch
	}
	return all
}
