package sender

import (
	"context"
	"io"
	"slices"

	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/tokens"
)

// somePending is the number of batches of an earlier run that are read at once.
const somePending = 100

// morePages is the number of further pages that are planned to find other projects when
// all known projects were given up.
const morePages = 10

// plan queues the batches that earlier runs left, and then the users page by page. The
// queue is short and blocks, so a page is listed only when the previous one is nearly
// sent: memory does not grow with the job, and tokens do not age.
func (s *Sender) plan(ctx context.Context, last uint64) error {
	if err := s.resume(ctx, last); err != nil {
		return err
	}
	at, err := s.outbox.Position()
	if err != nil {
		return err
	}
	lines := readUsers(s.job.Users, at.Offset)
	for inVain := 0; !at.Done && !s.isStopped(); {
		all, unanswered := s.allGivenUp()
		if inVain++; !all {
			inVain = 0
		}
		if unanswered || inVain > morePages {
			return nil // the rest would probably fail too
		}
		page, done, err := s.readPage(lines, &at)
		if err != nil {
			return err
		}
		works, err := s.listPage(ctx, page, &done)
		if err != nil {
			return err
		}
		for _, w := range works {
			done.Planned += len(w.Recipients)
		}
		if err := s.outbox.AddPage(at, batches(works), done); err != nil {
			return err
		}
		if err := s.o.step("planned"); err != nil {
			return err
		}
		for _, w := range works {
			s.project(w.Quota()) // so that allGivenUp knows it before the first one is refused
		}
		for _, w := range works {
			if err := s.enqueue(ctx, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// resume queues the batches that earlier runs left, whose numbers end with last. Batches
// with higher numbers belong to this run, which queues them when it makes them.
func (s *Sender) resume(ctx context.Context, last uint64) error {
	for after := uint64(0); ; {
		some, err := s.outbox.Pending(after, somePending)
		if err != nil {
			return err
		}
		more := len(some) == somePending
		if len(some) > 0 {
			after = some[len(some)-1].Seq
		}
		// Messages that were refused on their own come last: see project.
		slices.SortStableFunc(some, func(a, b *outbox.Batch) int { return len(b.Recipients) - len(a.Recipients) })
		for _, b := range some {
			if b.Seq > last {
				more = false
			} else if err := s.enqueue(ctx, &work{Batch: b}); err != nil {
				return err
			}
		}
		if !more || s.isStopped() {
			return nil
		}
	}
}

func (s *Sender) readPage(lines *userLines, at *outbox.Position) (page []tokens.UserID, done outbox.Counts, err error) {
	for len(page) < s.o.PageUsers {
		user, err := lines.next()
		switch {
		case err == io.EOF:
			at.Done = true
			return page, done, nil
		case err != nil:
			return nil, done, err
		}
		at.Offset = lines.offset
		done.Users++
		page = append(page, user)
	}
	return page, done, nil
}
