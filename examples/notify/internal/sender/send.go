package sender

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/tokens"
)

// deliver sends a batch and the batches that replace it. While one worker splits a refused
// request, other workers do not begin to split one of the same project, because its
// result may save them the requests.
func (s *Sender) deliver(ctx context.Context, w *work) error {
	var narrowing chan struct{} // is held, unless nil
	defer func() {
		if narrowing != nil {
			<-narrowing
		}
	}()
	for left := []*work{w}; len(left) > 0; {
		last := len(left) - 1
		w, left = left[last], left[:last]
		p := s.project(w.Quota())
		instead, narrow, err := s.send(ctx, p, w)
		if err != nil {
			return err
		}
		left = append(left, instead...)
		if narrow && narrowing == nil {
			select {
			case p.narrowing <- struct{}{}:
				narrowing = p.narrowing
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// send sends one batch, with retries, until Expo has answered. It returns the batches to
// send instead, and whether they are the parts of a refused request.
func (s *Sender) send(ctx context.Context, p *project, w *work) (instead []*work, narrow bool, err error) {
	began := time.Now()
	for wait := s.backoff(); ; {
		if left, err := s.leave(p, w); left || err != nil {
			return nil, false, err
		}
		if err := p.gate.pass(ctx); err != nil {
			return nil, false, err
		}
		if left, err := s.leave(p, w); left || err != nil { // the project was given up meanwhile
			p.gate.giveBack()
			return nil, false, err
		}
		if !s.fresh(w) {
			if instead, ready, err := s.read(ctx, w); err != nil || !ready {
				p.gate.giveBack()
				return instead, false, err
			}
		}
		messages, err := s.sending(w)
		if err != nil {
			return nil, false, err
		}
		p.gate.leave()
		// A run that is stopped waits for the answer, because without it the
		// next run would send the batch again.
		tickets, failure := s.push.Send(context.WithoutCancel(ctx), messages)
		if err := s.o.step("answered"); err != nil {
			return nil, false, err
		}
		w.tokens = nil // a token is used once

		var refused *expo.Error
		action := expo.Repeat
		if errors.As(failure, &refused) {
			action = refused.Action()
		}
		switch {
		case failure == nil:
			return nil, false, s.answered(ctx, p, w, tickets)
		case errors.Is(failure, expo.ErrTickets): // the messages may arrive, so they are not sent again
			return nil, false, s.suspect(p, w, expo.NoTicket)
		case action == expo.Stop:
			s.stop(fmt.Errorf("send: %w, a redirect: if it leads to Expo, use its target for -expo", failure))
			return nil, false, nil
		case action == expo.Narrow && len(messages) == 1:
			return nil, false, s.suspect(p, w, refused.Reason())
		case action == expo.Narrow:
			instead, err := s.split(w, messages, refused)
			return instead, true, err
		}
		if err := wait.failed(); err != nil {
			return nil, false, s.giveUp(p, w, began, fmt.Errorf("send: %w: %w", err, failure))
		}
		delay := wait.delay(expo.RetryAfter(failure))
		s.o.Log.Warn("sending a batch failed; retrying", "error", failure, "for", delay.Round(time.Millisecond))
		p.gate.close(delay)
	}
}

// sending makes the messages of w and records that they are about to be sent.
func (s *Sender) sending(w *work) ([]expo.Message, error) {
	messages := make([]expo.Message, len(w.tokens))
	for i, token := range w.tokens {
		data := maps.Clone(s.job.Data)
		if data == nil {
			data = map[string]any{}
		}
		data[RecipientKey] = w.Recipients[i].User
		messages[i] = expo.Message{To: token, Content: s.job.Content, Data: data}
	}
	w.SentAt = time.Now()
	w.Left = ""
	if err := s.outbox.Update(w.Batch, outbox.Counts{Dropped: w.dropped}); err != nil {
		return nil, err
	}
	w.dropped = 0
	return messages, s.o.step("sending")
}

func (s *Sender) answered(ctx context.Context, p *project, w *work, tickets []expo.Ticket) error {
	r := outbox.Results{Tallies: outbox.Tallies{}}
	sent := &outbox.Sent{Group: w.Group, SentAt: w.SentAt, Due: time.Now().Add(s.o.ReceiptDelay)}
	var slow []outbox.Recipient
	for i, ticket := range tickets {
		recipient := w.Recipients[i]
		switch {
		case ticket.Error == "" && ticket.ID == "":
			r.Counts.Accepted++
			r.Counts.NoReceipt++
		case ticket.Error == "":
			r.Counts.Accepted++
			sent.Tickets = append(sent.Tickets, outbox.Ticket{Recipient: recipient, ID: ticket.ID})
		case s.isSlow(ticket.Error, w.Slowed):
			slow = append(slow, recipient)
		default:
			failed(&r, w.Group, recipient, ticket.Error, w.SentAt)
		}
	}
	if len(sent.Tickets) > 0 {
		r.Sent = []*outbox.Sent{sent}
	}
	if len(slow) > 0 {
		r.Again = []*outbox.Batch{slower(w.Group, slow)}
	}
	if err := s.outbox.Acknowledge(w.Batch, r); err != nil {
		return err
	}
	if err := s.accepted(p); err != nil {
		return err
	}
	if err := s.o.step("acknowledged"); err != nil {
		return err
	}
	for _, b := range r.Again {
		if err := s.enqueue(ctx, &work{Batch: b}); err != nil {
			return err
		}
	}
	return nil
}

// isSlow reports whether a message with that error is retried slowly.
func (s *Sender) isSlow(code string, slowed int) bool {
	return expo.ActionFor(code) == expo.RepeatSlowly && slowed < mostSlow
}

func slower(g outbox.Group, recipients []outbox.Recipient) *outbox.Batch {
	g.Slowed++
	return &outbox.Batch{Group: g, Recipients: recipients, NotBefore: slowly(g.Slowed)}
}

// split replaces a refused batch. If the refusal lists the tokens by project, there is one
// batch for each project; otherwise there are two halves.
func (s *Sender) split(w *work, messages []expo.Message, refused *expo.Error) ([]*work, error) {
	owner := map[tokens.Hash]string{}
	for project, all := range refused.Projects {
		for _, token := range all {
			owner[token.Hash()] = project
		}
	}
	parts := map[string][]outbox.Recipient{}
	for i, m := range messages {
		project := owner[m.To.Hash()]
		parts[project] = append(parts[project], w.Recipients[i])
	}
	var works []*work
	for experience, recipients := range parts {
		group := w.Group
		group.Experience = experience
		works = append(works, part(group, recipients))
	}
	if len(parts) == 1 {
		works = halves(w)
	}
	if err := s.replace(w, works); err != nil {
		return nil, err
	}
	return works, s.o.step("split")
}

func halves(w *work) []*work {
	half := len(w.Recipients) / 2
	return []*work{part(w.Group, w.Recipients[:half]), part(w.Group, w.Recipients[half:])}
}

func part(g outbox.Group, recipients []outbox.Recipient) *work {
	return &work{Batch: &outbox.Batch{Group: g, Recipients: recipients}}
}
