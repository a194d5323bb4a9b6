package sender

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// follow fetches receipts when they are due, until everything is sent and nothing is left
// to fetch. Only then does it invalidate devices that are gone, because it takes all
// answers together to decide whether to trust them.
func (s *Sender) follow(ctx context.Context, planned <-chan struct{}) error {
	for {
		allSent := isClosed(planned) && s.open.Load() == 0 // before fetching what is due
		fetched, err := s.fetch(ctx)
		if err != nil {
			return err
		}
		if fetched > 0 {
			continue
		}
		due, some, err := s.outbox.NextDue(s.isUnread)
		switch {
		case err != nil:
			return err
		case !some && allSent: // no more tickets come
			return s.finish(ctx)
		case !some:
			due = time.Now().Add(s.o.ReceiptDelay)
		case allSent:
			if err := s.invalidateEarly(ctx); err != nil {
				return err
			}
		}
		select {
		case <-time.After(time.Until(due)):
		case <-s.idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

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
	r := outbox.Results{Tallies: outbox.Tallies{}}
	var fetched []*outbox.Sent
	for _, sent := range due {
		if !s.isUnread(sent.Quota()) || time.Since(sent.SentAt) > expo.ReceiptLifetime {
			fetched = append(fetched, sent)
			s.readReceipts(&r, sent, a)
		} // otherwise it stays in the outbox for the next run
	}
	if err := s.outbox.Receipts(fetched, r); err != nil {
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

func (s *Sender) readReceipts(r *outbox.Results, sent *outbox.Sent, a answers) {
	missing := *sent
	missing.Tickets, missing.Due, missing.Asked = nil, time.Now().Add(s.o.ReceiptDelay), true
	var slow []outbox.Recipient
	for _, t := range sent.Tickets {
		receipt, known := a.receipts[t.ID]
		refusal := a.refused[t.ID]
		switch {
		case refusal != "" && refusal != noAnswer:
			r.Counts.Fail(refusal, 1)
		case !known && time.Since(sent.SentAt) > expo.ReceiptLifetime:
			r.Counts.NoReceipt++
		case !known:
			missing.Tickets = append(missing.Tickets, t)
		case receipt.Error == "":
			r.Counts.Delivered++
			r.Tallies.Add(outbox.Tallied{Quota: sent.Quota(), Platform: t.Platform}, outbox.Tally{Answers: 1})
		case s.isSlow(receipt.Error, sent.Slowed):
			r.Counts.Accepted-- // Expo asks to send it again
			slow = append(slow, t.Recipient)
		default:
			failed(r, sent.Group, t.Recipient, receipt.Error, sent.SentAt)
		}
	}
	if len(missing.Tickets) > 0 {
		r.Sent = append(r.Sent, &missing)
	}
	if len(slow) > 0 {
		r.Again = append(r.Again, slower(sent.Group, slow))
	}
}

func failed(r *outbox.Results, g outbox.Group, to outbox.Recipient, code string, sentAt time.Time) {
	answer := outbox.Tally{Answers: 1}
	if expo.ActionFor(code) == expo.Invalidate {
		answer.Gone = 1
		r.Counts.Unregistered++
		r.Gone = append(r.Gone, outbox.Gone{Recipient: to, SentAt: sentAt})
	} else {
		r.Counts.Fail(code, 1)
	}
	r.Tallies.Add(outbox.Tallied{Quota: g.Quota(), Platform: to.Platform}, answer)
}

type question struct{ id, quota string }

// answers are the results of questions. An id in neither map has no receipt yet.
type answers struct {
	receipts map[string]expo.Receipt
	refused  map[string]string // by id: the code with which Expo refuses the id on its own, or noAnswer
}

// reading is the state of fetching one project's receipts. As for messages, the refused ids
// are at fault if Expo answers other requests of the project; otherwise the receipts of the
// project are left for the next run.
type reading struct {
	answered bool
	suspects map[string]string // refused ids with their codes, since the last answer
	unread   bool
}

func (s *Sender) reading(quota string) *reading {
	r := s.readings[quota]
	if r == nil {
		r = &reading{suspects: map[string]string{}}
		s.readings[quota] = r
	}
	return r
}

func (s *Sender) isUnread(quota string) bool { return s.reading(quota).unread }

// unread leaves a project's receipts for the next run.
func (s *Sender) unread(quota, code string) {
	if r := s.reading(quota); !r.unread {
		r.unread = true
		clear(r.suspects)
		why := ErrRefused
		if code == noAnswer {
			why = ErrGaveUp
		}
		s.problem(fmt.Errorf("project %q: get receipts: %s: %w", quota, code, why))
	}
}

// blame moves the suspects to a, because Expo has answered another request of the project.
func (r *reading) blame(a *answers) {
	r.answered = true
	maps.Copy(a.refused, r.suspects)
	clear(r.suspects)
}

func (s *Sender) ask(ctx context.Context, a *answers, asked []question) error {
	if err := s.askParts(ctx, a, asked, s.o.Attempts); err != nil {
		return err
	}
	for _, q := range asked {
		if r := s.reading(q.quota); r.answered {
			r.blame(a)
		} else if code := r.suspects[q.id]; code != "" {
			s.unread(q.quota, code)
		}
	}
	return nil
}

func (s *Sender) askParts(ctx context.Context, a *answers, asked []question, attempts int) error {
	byQuota := map[string][]question{}
	var ids []string
	for _, q := range asked {
		if !s.isUnread(q.quota) {
			byQuota[q.quota] = append(byQuota[q.quota], q)
			ids = append(ids, q.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	receipts, err := s.receipts(ctx, ids, attempts)
	if err == nil {
		maps.Copy(a.receipts, receipts)
		for quota := range byQuota {
			s.reading(quota).blame(a)
		}
		return nil
	}
	var refused *expo.Error
	code := noAnswer
	switch isRefused := errors.As(err, &refused); {
	case ctx.Err() != nil:
		return ctx.Err()
	case isRefused && refused.Action() == expo.Stop:
		for quota := range byQuota {
			s.unread(quota, refused.Reason())
		}
		return nil
	case isRefused && refused.Action() == expo.Narrow:
		code = refused.Reason()
	case errors.Is(err, expo.ErrAnswer):
		code = expo.Unknown
	default:
		attempts = min(attempts, fewAttempts)
	}
	parts := [][]question{asked[:len(asked)/2], asked[len(asked)/2:]}
	switch {
	case len(byQuota) > 1:
		parts = slices.Collect(maps.Values(byQuota))
	case len(ids) == 1:
		r, q := s.reading(asked[0].quota), asked[0]
		r.suspects[q.id] = code
		if len(r.suspects) >= mostSuspects {
			s.unread(q.quota, code)
		}
		return nil
	}
	for _, part := range parts {
		if err := s.askParts(ctx, a, part, attempts); err != nil {
			return err
		}
	}
	return nil
}

// fewAttempts limits the attempts for each part of a request that failed in all of its
// attempts. It also limits the attempts after answers that match [expo.ErrAnswer]; then
// the request counts as refused, since asking for a part of it again does no harm.
const fewAttempts = 3

// receipts fetches receipts, with retries while they may help.
func (s *Sender) receipts(ctx context.Context, ids []string, attempts int) (map[string]expo.Receipt, error) {
	for wait := (&backoff{most: attempts}); ; {
		receipts, err := s.push.Receipts(ctx, ids)
		var refused *expo.Error
		switch {
		case err == nil:
			return receipts, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.As(err, &refused) && refused.Action() != expo.Repeat, errors.Is(err, expo.ErrAnswer) && wait.made+1 >= fewAttempts:
			return nil, fmt.Errorf("get receipts: %w", err)
		}
		s.o.Log.Warn("fetching receipts failed; retrying", "error", err)
		if wait := wait.next(ctx, expo.RetryAfter(err)); wait != nil {
			return nil, fmt.Errorf("get receipts: %w: %w", wait, err)
		}
	}
}
