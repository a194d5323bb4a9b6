package sender

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/tokens"
)

// follow fetches receipts when they are due, until everything is sent and nothing is left
// to fetch. Only then does it invalidate devices that are gone, because it takes all
// answers together to decide whether to trust them.
func (s *Sender) follow(ctx context.Context, planned <-chan struct{}) error {
	for {
		allSent := s.allSent(planned) // before fetching what is due
		fetched, err := s.fetch(ctx)
		if err != nil {
			return err
		}
		if fetched > 0 {
			continue
		}
		wait := min(time.Second, s.o.ReceiptDelay)
		if allSent { // no more tickets come
			due, some, err := s.outbox.NextDue(s.isUnread)
			if err != nil {
				return err
			}
			if !some {
				return s.finish(ctx)
			}
			wait = time.Until(due)
			if err := s.invalidateEarly(ctx); err != nil {
				return err
			}
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func (s *Sender) allSent(planned <-chan struct{}) bool {
	select {
	case <-planned:
		return s.open.Load() == 0
	default:
		return false
	}
}

// finish is called when this run has nothing more to send or to fetch.
func (s *Sender) finish(ctx context.Context) error {
	if err := s.settle(); err != nil {
		return err
	}
	held, err := s.invalidate(ctx)
	if err == nil && held != nil {
		s.problem(held)
	}
	return err
}

// fetch fetches the receipts of up to a thousand tickets and returns the number of their
// batches.
func (s *Sender) fetch(ctx context.Context) (int, error) {
	due, err := s.outbox.Due(time.Now(), expo.MaxReceipts, s.isUnread)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	a := answers{receipts: map[string]expo.Receipt{}, refused: map[string]string{}}
	var asked []question
	for _, sent := range due {
		for _, t := range sent.Tickets {
			asked = append(asked, question{t.ID, sent.Quota()})
		}
	}
	if err := s.ask(ctx, &a, asked); err != nil {
		return 0, err
	}
	if err := s.o.step("fetched"); err != nil {
		return 0, err
	}
	r := outbox.Reading{Tallies: map[string]map[tokens.Platform]outbox.Tally{}}
	for _, sent := range due {
		if !s.isUnread(sent.Quota()) || time.Since(sent.SentAt) > expo.ReceiptLifetime {
			s.readReceipts(&r, sent, a)
		} // otherwise it stays in the outbox for the next run
	}
	if err := s.outbox.Receipts(r); err != nil {
		return 0, err
	}
	if err := s.o.step("received"); err != nil {
		return 0, err
	}
	for _, b := range r.Again {
		if err := s.enqueue(ctx, &work{Batch: b}); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// readReceipts adds the results of one batch's receipts to r.
func (s *Sender) readReceipts(r *outbox.Reading, sent *outbox.Sent, a answers) {
	missing := *sent
	missing.Tickets, missing.Due, missing.Asked = nil, time.Now().Add(s.o.ReceiptDelay), true
	tallies := r.Tallies[sent.Quota()]
	if tallies == nil {
		tallies = map[tokens.Platform]outbox.Tally{}
		r.Tallies[sent.Quota()] = tallies
	}
	var slow []outbox.Recipient
	for _, t := range sent.Tickets {
		receipt, known := a.receipts[t.ID]
		refusal := a.refused[t.ID]
		isGone := expo.ActionFor(receipt.Error) == expo.Invalidate
		switch {
		case refusal != "" && refusal != noAnswer:
			r.Counts.Fail(refusal, 1)
			continue
		case !known && time.Since(sent.SentAt) > expo.ReceiptLifetime:
			r.Counts.NoReceipt++
			continue
		case !known:
			missing.Tickets = append(missing.Tickets, t)
			continue
		case receipt.Error == "":
			r.Counts.Delivered++
		case s.isSlow(receipt.Error, sent.Slowed):
			r.Counts.Accepted-- // Expo asks to send it again
			slow = append(slow, t.Recipient)
			continue
		case isGone:
			r.Counts.Unregistered++
			r.Gone = append(r.Gone, outbox.Gone{Recipient: t.Recipient, SentAt: sent.SentAt})
		default:
			r.Counts.Fail(receipt.Error, 1)
		}
		tallies[t.Platform] = tallies[t.Platform].Add(isGone)
	}
	r.Fetched = append(r.Fetched, sent)
	if len(missing.Tickets) > 0 {
		r.Later = append(r.Later, &missing)
	}
	if len(slow) > 0 {
		r.Again = append(r.Again, slower(sent.Project, sent.Experience, sent.Slowed, slow))
	}
}
