package sender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/store"
)

// follow fetches receipts as they become due, and tells the registry of devices
// that are gone, until all is sent and nothing is left to do.
func (s *Sender) follow(ctx context.Context, sent <-chan struct{}) error {
	for {
		allSent := false
		select {
		case <-sent:
			allSent = true
		default:
		}
		told, err := s.invalidate(ctx)
		if err != nil {
			return err
		}
		fetched, err := s.fetch(ctx)
		if err != nil {
			return err
		}
		if told+fetched > 0 {
			continue
		}
		wait := min(time.Second, s.o.ReceiptDelay)
		if allSent { // nothing new comes
			due, some, err := s.outbox.NextDue()
			if err != nil || !some {
				return err
			}
			wait = time.Until(due)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// fetch fetches the receipts of up to a thousand tickets, and returns of how
// many batches.
func (s *Sender) fetch(ctx context.Context) (int, error) {
	due, err := s.outbox.Due(time.Now(), expo.MaxReceipts)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	var ids []string
	for _, sent := range due {
		for _, t := range sent.Tickets {
			ids = append(ids, t.ID)
		}
	}
	receipts, err := s.receipts(ctx, ids)
	if err != nil {
		return 0, err
	}
	if err := s.o.step("fetched"); err != nil {
		return 0, err
	}
	var (
		done  outbox.Counts
		gone  []outbox.Gone
		later []*outbox.Sent
	)
	for _, sent := range due {
		missing := &outbox.Sent{SentAt: sent.SentAt, Due: time.Now().Add(s.o.ReceiptDelay)}
		for _, t := range sent.Tickets {
			receipt, known := receipts[t.ID]
			switch {
			case !known && time.Since(sent.SentAt) > expo.ReceiptLifetime:
				done.NoReceipt++
			case !known:
				missing.Tickets = append(missing.Tickets, t)
			case receipt.Error == "":
				done.Delivered++
			case receipt.Error == expo.DeviceNotRegistered:
				done.Unregistered++
				gone = append(gone, outbox.Gone{Recipient: t.Recipient, SentAt: sent.SentAt})
			default:
				done.Fail(receipt.Error)
			}
		}
		if len(missing.Tickets) > 0 {
			later = append(later, missing)
		}
	}
	if err := s.outbox.Receipts(due, later, gone, done); err != nil {
		return 0, err
	}
	return len(due), s.o.step("received")
}

func (s *Sender) receipts(ctx context.Context, ids []string) (map[string]expo.Receipt, error) {
	for wait := s.backoff(); ; {
		receipts, err := s.push.Receipts(ctx, ids)
		if err == nil {
			return receipts, nil
		}
		if ctx.Err() != nil || !expo.Temporary(err) {
			return nil, fmt.Errorf("get receipts: %w", err)
		}
		var refused *expo.Error
		atLeast := time.Duration(0)
		if errors.As(err, &refused) {
			atLeast = refused.RetryAfter
		}
		if wait := wait.next(ctx, atLeast); wait != nil {
			return nil, fmt.Errorf("get receipts: %w: %w", wait, err)
		}
	}
}

// someGone is how many devices are told to the registry between two writes of
// the outbox.
const someGone = 100

// invalidate tells the registry of devices that are gone, and returns of how
// many. Telling it again after a crash changes nothing.
func (s *Sender) invalidate(ctx context.Context) (int, error) {
	gone, err := s.outbox.Gone(someGone)
	if err != nil || len(gone) == 0 {
		return 0, err
	}
	told := make([]bool, len(gone))
	calls, callCtx := errgroup.WithContext(ctx)
	calls.SetLimit(s.o.Reads)
	for i, g := range gone {
		calls.Go(func() (err error) {
			told[i], err = s.tell(callCtx, g)
			return err
		})
	}
	if err := calls.Wait(); err != nil {
		return 0, fmt.Errorf("invalidate: %w", err)
	}
	if err := s.o.step("invalidated"); err != nil {
		return 0, err
	}
	var done outbox.Counts
	for _, t := range told {
		if t {
			done.Invalidated++
		} else {
			done.Kept++
		}
	}
	return len(gone), s.outbox.Told(gone, done)
}

// tell invalidates one registration if it still has the token that the message
// went to. The store leaves it alone if it was registered again since.
func (s *Sender) tell(ctx context.Context, g outbox.Gone) (bool, error) {
	for wait := s.backoff(); ; {
		registration, err := s.get(ctx, g.Key())
		if err != nil {
			return false, err
		}
		if registration.Token.IsZero() {
			return false, nil // not registered
		}
		if hash := registration.Token.Hash(); !bytes.Equal(hash[:], g.Hash) {
			return false, nil
		}
		err = s.registry.Invalidate(ctx, g.Key(), registration.Token, g.SentAt)
		if !errors.Is(err, store.ErrTryAgain) {
			return err == nil, err
		}
		if wait := wait.next(ctx, 0); wait != nil {
			return false, fmt.Errorf("%w: %w", wait, err)
		}
	}
}
