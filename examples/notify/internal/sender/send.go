package sender

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// deliver sends a batch, and whatever comes in its place.
func (s *Sender) deliver(ctx context.Context, w *work) error {
	for left := []*work{w}; len(left) > 0; {
		last := len(left) - 1
		w, left = left[last], left[:last]
		instead, err := s.send(ctx, w)
		if err != nil {
			return err
		}
		left = append(left, instead...)
	}
	return nil
}

// send sends one batch until Expo has answered, and returns what is to be sent
// after it or in its place.
func (s *Sender) send(ctx context.Context, w *work) ([]*work, error) {
	gate := s.gate(w.Quota())
	for wait := s.backoff(); ; {
		if err := sleep(ctx, time.Until(w.NotBefore)); err != nil {
			return nil, err
		}
		if err := gate.pass(ctx); err != nil {
			return nil, err
		}
		if !s.fresh(w) {
			if instead, ready, err := s.read(ctx, w); err != nil || !ready {
				gate.giveBack()
				return instead, err
			}
		}
		messages, err := s.sending(w)
		if err != nil {
			return nil, err
		}
		gate.leave()
		// Whoever stops the program waits for the answer: without it the
		// next run would have to send again.
		tickets, refusal := s.push.Send(context.WithoutCancel(ctx), messages)
		if err := s.o.step("answered"); err != nil {
			return nil, err
		}
		w.tokens = nil // they were used

		var refused *expo.Error
		isRefused := errors.As(refusal, &refused)
		switch {
		case refusal == nil:
			return s.answered(w, tickets)
		case isRefused && refused.Mixed() && len(messages) > 1:
			return s.split(w, messages, refused)
		case !expo.Temporary(refusal):
			return nil, fmt.Errorf("send: %w", refusal)
		}
		if err := wait.failed(); err != nil {
			return nil, fmt.Errorf("send: %w: %w", err, refusal)
		}
		atLeast := time.Duration(0)
		if isRefused {
			atLeast = refused.RetryAfter
		}
		delay := wait.delay(atLeast)
		s.o.Log.Warn("expo did not take a batch; waiting", "error", refusal, "for", delay.Round(time.Millisecond))
		gate.close(delay)
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
		data[recipientKey] = w.Recipients[i].User
		messages[i] = expo.Message{To: token, Content: s.job.Content, Data: data}
	}
	w.Attempts++
	w.SentAt = time.Now()
	if err := s.outbox.Sending(w.Batch, outbox.Counts{Dropped: w.dropped}); err != nil {
		return nil, err
	}
	w.dropped = 0
	return messages, s.o.step("sending")
}

// answered records what the tickets say.
func (s *Sender) answered(w *work, tickets []expo.Ticket) ([]*work, error) {
	answer := outbox.Answer{Due: time.Now().Add(s.o.ReceiptDelay)}
	var again []outbox.Recipient
	for i, ticket := range tickets {
		recipient := w.Recipients[i]
		switch {
		case ticket.Error == "":
			answer.Counts.Accepted++
			answer.Tickets = append(answer.Tickets, outbox.Ticket{Recipient: recipient, ID: ticket.ID})
		case ticket.Error == expo.DeviceNotRegistered:
			answer.Counts.Unregistered++
			answer.Gone = append(answer.Gone, recipient)
		case ticket.Error == expo.MessageRateExceeded && w.Attempts < s.o.Attempts:
			again = append(again, recipient)
		default:
			answer.Counts.Fail(ticket.Error)
		}
	}
	var after []*work
	if len(again) > 0 {
		slower := backoff{made: w.Attempts}
		answer.Again = &outbox.Batch{
			Project: w.Project, Experience: w.Experience, Recipients: again,
			Attempts: w.Attempts, NotBefore: time.Now().Add(slower.delay(0)),
		}
		after = append(after, &work{Batch: answer.Again})
	}
	if err := s.outbox.Acknowledge(w.Batch, answer); err != nil {
		return nil, err
	}
	return after, s.o.step("acknowledged")
}

// split puts batches of one project each in the place of one that mixed them:
// as Expo's refusal tells the tokens apart, or else in halves, so that it ends.
func (s *Sender) split(w *work, messages []expo.Message, refused *expo.Error) ([]*work, error) {
	owner := map[[32]byte]string{}
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
	add := func(experience string, recipients []outbox.Recipient) {
		works = append(works, &work{Batch: &outbox.Batch{Project: w.Project, Experience: experience, Recipients: recipients}})
	}
	if half := len(w.Recipients) / 2; len(parts) == 1 {
		add("", w.Recipients[:half])
		add("", w.Recipients[half:])
	} else {
		for experience, recipients := range parts {
			add(experience, recipients)
		}
	}
	if err := s.outbox.Replace(w.Batch, batches(works), outbox.Counts{}); err != nil {
		return nil, err
	}
	return works, s.o.step("split")
}
