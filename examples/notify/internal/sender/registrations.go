package sender

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// reads is the number of concurrent calls of the registry for each worker.
const reads = 16

// listPage reads the registrations of these users and groups them into batches of one
// project each, in random order.
func (s *Sender) listPage(ctx context.Context, page []tokens.UserID, done *outbox.Counts) (works []*work, err error) {
	began := time.Now()
	byProject := map[tokens.ProjectID][]tokens.Registration{}
	for wait := s.backoff(); len(page) > 0; {
		var (
			again []tokens.UserID
			last  error
		)
		for l := range store.ListUsers(ctx, s.registry, slices.Values(page), reads) {
			switch {
			case errors.Is(l.Err, store.ErrTryAgain):
				again, last = append(again, l.UserID), l.Err
			case l.Err != nil:
				return nil, fmt.Errorf("list registrations: %w", l.Err)
			case len(l.Registrations) == 0:
				done.NoDevice++
			}
			for _, r := range distinct(l.Registrations) {
				byProject[r.ProjectID] = append(byProject[r.ProjectID], r)
			}
		}
		page = again
		if len(page) > 0 {
			why := []any{"error", last, "users", len(page)}
			if network := awsenv.NetworkError(last); network != nil {
				why = append(why, "network", network)
			}
			s.o.Log.Warn("listing registrations failed; retrying", why...)
			if err := wait.next(ctx, 0); err != nil {
				return nil, fmt.Errorf("list registrations: %w: %w", err, last)
			}
		}
	}
	for _, project := range slices.Sorted(maps.Keys(byProject)) {
		some := byProject[project]
		rand.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] }) // see project
		works = append(works, batched(outbox.Group{Project: project}, some, began)...)
	}
	return works, nil
}

// distinct deduplicates by token: a store may list a token twice while it moves between
// two devices of a user.
func distinct(registrations []tokens.Registration) []tokens.Registration {
	seen := map[tokens.Hash]bool{}
	return slices.DeleteFunc(registrations, func(r tokens.Registration) bool {
		known := seen[r.Token.Hash()]
		seen[r.Token.Hash()] = true
		return known
	})
}

// batched splits registrations, which were read at readAt, into batches.
func batched(g outbox.Group, registrations []tokens.Registration, readAt time.Time) (works []*work) {
	for some := range slices.Chunk(registrations, expo.MaxMessages) {
		w := part(g, nil)
		w.readAt = readAt
		for _, r := range some {
			w.Recipients = append(w.Recipients, outbox.Recipient{
				User: r.Key.UserID, Device: r.Key.DeviceID, Platform: r.Platform, Hash: r.Token.Hash(),
			})
			w.tokens = append(w.tokens, r.Token)
		}
		works = append(works, w)
	}
	return works
}

// read reads the registrations of w again and drops recipients that are no longer
// registered. It returns ready if w can be sent. Otherwise w has become empty or has a
// recipient of another project, and read returns the batches that replace it.
func (s *Sender) read(ctx context.Context, w *work) (instead []*work, ready bool, err error) {
	began := time.Now()
	registrations := make([]tokens.Registration, len(w.Recipients)) // zero: no longer registered
	calls, callCtx := errgroup.WithContext(ctx)
	calls.SetLimit(reads)
	for i, r := range w.Recipients {
		calls.Go(func() (err error) {
			registrations[i], err = s.get(callCtx, r.Key())
			return err
		})
	}
	if err := calls.Wait(); err != nil {
		return nil, false, fmt.Errorf("get registration: %w", err)
	}
	byProject := map[tokens.ProjectID][]tokens.Registration{}
	w.dropped += len(w.Recipients)
	for _, r := range registrations {
		if r.Active() {
			byProject[r.ProjectID] = append(byProject[r.ProjectID], r)
			w.dropped--
		}
	}
	var works []*work
	for project, some := range byProject {
		group := outbox.Group{Project: project, Slowed: w.Slowed}
		if project == w.Project {
			group.Experience = w.Experience
		}
		works = append(works, batched(group, some, began)...)
	}
	if len(works) == 1 && works[0].Quota() == w.Quota() {
		w.Recipients, w.tokens, w.readAt = works[0].Recipients, works[0].tokens, works[0].readAt
		return nil, true, nil
	}
	return works, false, s.replace(w, works)
}

func (s *Sender) replace(w *work, works []*work) error {
	return s.outbox.Replace(w.Batch, batches(works), outbox.Counts{Dropped: w.dropped})
}

// get returns an active registration, or the zero value if there is none. A registration
// that cannot be decoded counts as none, as it does in [store.Store].List.
func (s *Sender) get(ctx context.Context, key tokens.Key) (r tokens.Registration, err error) {
	err = s.retry(ctx, func() error {
		r, err = s.registry.Get(ctx, key)
		return err
	})
	var corrupt *store.CorruptError
	if errors.Is(err, store.ErrNotFound) || errors.As(err, &corrupt) {
		return tokens.Registration{}, nil
	}
	return r, err
}

func batches(works []*work) []*outbox.Batch {
	all := make([]*outbox.Batch, len(works))
	for i, w := range works {
		all[i] = w.Batch
	}
	return all
}
