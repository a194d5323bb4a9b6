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

// deliver sends a batch, and whatever comes in its place. While it narrows a
// refusal down, other workers do not begin to narrow down one of the same project:
// what it finds out spares them the requests.
func (s *Sender) deliver(ctx context.Context, w *work) error {
	var narrows *project
	defer func() {
		if narrows != nil {
			<-narrows.narrowing
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
		if narrow && narrows == nil {
			select {
			case p.narrowing <- struct{}{}:
				narrows = p
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// send sends one batch until Expo has answered, and returns what is to be sent in
// its place, and whether that is to narrow a refusal down.
func (s *Sender) send(ctx context.Context, p *project, w *work) (instead []*work, narrow bool, err error) {
	began := time.Now()
	for wait := s.backoff(); ; {
		if left, err := s.leave(p, w); left || err != nil {
			return nil, false, err
		}
		if err := p.gate.pass(ctx); err != nil {
			return nil, false, err
		}
		if left, err := s.leave(p, w); left || err != nil { // while it waited
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
		// A run that is stopped waits for the answer: without it the next
		// run would have to send again.
		tickets, failure := s.push.Send(context.WithoutCancel(ctx), messages)
		if err := s.o.step("answered"); err != nil {
			return nil, false, err
		}
		w.tokens = nil // they were used

		var refused *expo.Error
		action := expo.Repeat
		if errors.As(failure, &refused) {
			action = refused.Action()
		}
		switch {
		case failure == nil:
			return nil, false, s.answered(ctx, p, w, tickets)
		case errors.Is(failure, expo.ErrTickets): // the messages may be on their way, so they are not sent again
			return nil, false, s.suspect(p, w, expo.NoTicket)
		case action == expo.Stop:
			s.stop(fmt.Errorf("send: %w, a redirect: set the address that it leads to, if it is Expo's", failure))
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
		s.o.Log.Warn("expo did not take a batch; waiting", "error", failure, "for", delay.Round(time.Millisecond))
		p.gate.close(delay)
	}
}

// sending makes the messages of w and records that they are about to go out.
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
	w.Attempts++
	w.SentAt = time.Now()
	w.Left = ""
	if err := s.outbox.Sending(w.Batch, outbox.Counts{Dropped: w.dropped}); err != nil {
		return nil, err
	}
	w.dropped = 0
	return messages, s.o.step("sending")
}

// answered records what the tickets say.
func (s *Sender) answered(ctx context.Context, p *project, w *work, tickets []expo.Ticket) error {
	answer := outbox.Answer{Due: time.Now().Add(s.o.ReceiptDelay), Tallies: map[tokens.Platform]outbox.Tally{}}
	var slow []outbox.Recipient
	for i, ticket := range tickets {
		recipient := w.Recipients[i]
		switch {
		case ticket.Error == "" && ticket.ID == "":
			answer.Counts.Accepted++
			answer.Counts.NoReceipt++
			continue
		case ticket.Error == "":
			answer.Counts.Accepted++
			answer.Tickets = append(answer.Tickets, outbox.Ticket{Recipient: recipient, ID: ticket.ID})
			continue
		case s.isSlow(ticket.Error, w.Slowed):
			slow = append(slow, recipient)
			continue
		case expo.ActionFor(ticket.Error) == expo.Invalidate:
			answer.Counts.Unregistered++
			answer.Gone = append(answer.Gone, recipient)
		default:
			answer.Counts.Fail(ticket.Error, 1)
		}
		gone := expo.ActionFor(ticket.Error) == expo.Invalidate
		answer.Tallies[recipient.Platform] = answer.Tallies[recipient.Platform].Add(gone)
	}
	if len(slow) > 0 {
		answer.Again = slower(w.Project, w.Experience, w.Slowed, slow)
	}
	if err := s.outbox.Acknowledge(w.Batch, answer); err != nil {
		return err
	}
	if err := s.accepted(p); err != nil {
		return err
	}
	if err := s.o.step("acknowledged"); err != nil {
		return err
	}
	if answer.Again != nil {
		return s.enqueue(ctx, &work{Batch: answer.Again})
	}
	return nil
}

// isSlow reports whether a message with that error is to be sent again, slowly.
func (s *Sender) isSlow(code string, slowed int) bool {
	return expo.ActionFor(code) == expo.RepeatSlowly && slowed < mostSlow
}

// slower makes the batch that repeats slowly.
func slower(project tokens.ProjectID, experience string, slowed int, recipients []outbox.Recipient) *outbox.Batch {
	slowed++
	return &outbox.Batch{
		Project: project, Experience: experience, Recipients: recipients,
		Slowed: slowed, NotBefore: slowly(slowed),
	}
}

// split puts batches in the place of one that was refused: by project, as the
// refusal tells the tokens apart, or else in halves, so that it ends.
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
	if len(parts) == 1 {
		works = halves(w)
	} else {
		for experience, recipients := range parts {
			works = append(works, part(w, experience, recipients))
		}
	}
	if err := s.replace(w, works); err != nil {
		return nil, err
	}
	return works, s.o.step("split")
}

func halves(w *work) []*work {
	half := len(w.Recipients) / 2
	return []*work{part(w, w.Experience, w.Recipients[:half]), part(w, w.Experience, w.Recipients[half:])}
}

func part(w *work, experience string, recipients []outbox.Recipient) *work {
	return &work{Batch: &outbox.Batch{Project: w.Project, Experience: experience, Recipients: recipients, Slowed: w.Slowed}}
}
