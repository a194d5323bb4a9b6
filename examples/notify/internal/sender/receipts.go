package sender

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
)

// A question asks for the receipt of one ticket.
type question struct{ id, quota string }

// answers are the results of questions. An id in neither map has no receipt yet.
type answers struct {
	receipts map[string]expo.Receipt
	refused  map[string]string // by id: the code with which Expo refuses the id on its own, or noAnswer
}

// reading is the state of fetching one project's receipts. It works as for messages: if
// Expo answers other requests of the project, the refused ids are at fault; otherwise the
// project is, and its receipts are left for the next run. An id without an answer has no
// receipt yet, because the failure may pass.
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

// isUnread reports whether the project's receipts are left for the next run.
func (s *Sender) isUnread(quota string) bool { return s.reading(quota).unread }

// ask fetches receipts, and splits refused requests.
func (s *Sender) ask(ctx context.Context, a *answers, asked []question) error {
	if err := s.askParts(ctx, a, asked, s.o.Attempts); err != nil {
		return err
	}
	for _, q := range asked {
		if r := s.reading(q.quota); r.answered {
			maps.Copy(a.refused, r.suspects)
			clear(r.suspects)
		} else if code := r.suspects[q.id]; code != "" {
			s.unread(q.quota, code)
		}
	}
	return nil
}

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
			r := s.reading(quota)
			r.answered = true
			maps.Copy(a.refused, r.suspects)
			clear(r.suspects)
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
	if len(byQuota) > 1 {
		for _, some := range byQuota {
			if err := s.askParts(ctx, a, some, attempts); err != nil {
				return err
			}
		}
		return nil
	}
	if len(ids) == 1 {
		r, q := s.reading(asked[0].quota), asked[0]
		r.suspects[q.id] = code
		if len(r.suspects) >= mostSuspects {
			s.unread(q.quota, code)
		}
		return nil
	}
	half := len(asked) / 2
	if err := s.askParts(ctx, a, asked[:half], attempts); err != nil {
		return err
	}
	return s.askParts(ctx, a, asked[half:], attempts)
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
		atLeast := expo.RetryAfter(err)
		s.o.Log.Warn("fetching receipts failed; retrying", "error", err)
		if wait := wait.next(ctx, atLeast); wait != nil {
			return nil, fmt.Errorf("get receipts: %w: %w", wait, err)
		}
	}
}
