// Package sender sends one message to the devices of many users, fetches the receipts,
// and invalidates the registrations of devices that are gone.
//
// The outbox has each state of a batch before the next step: its recipients without
// tokens, the time of an attempt, the tickets, the receipts. A batch whose answer was lost,
// or was a 5xx, is sent again, so its users may get the message twice. A batch that Expo
// answered is not sent again, except for messages with MessageRateExceeded. A refused
// request is split until each message that causes the refusal is alone; projects.go
// describes when the whole project is given up instead.
//
// A token is used once, and at most Options.TokenAge after it was read. Before a retry
// the registration is read again, so that a phone that changed hands meanwhile is
// skipped. The phone may still change hands before the message arrives, so the message
// names its recipient, and the app drops messages that are not for its current user.
package sender

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A Registry is the part of [store.Store] that a sender needs.
type Registry interface {
	store.Lister
	Get(ctx context.Context, key tokens.Key) (tokens.Registration, error)
	Invalidate(ctx context.Context, key tokens.Key, h tokens.Hash, sentAt time.Time) error
}

// Options configure a sender. Zero means the default of New, which follows Expo's
// recommendations.
type Options struct {
	Workers      int           // concurrent requests to Expo, by default as in Expo's own SDK
	PageUsers    int           // users listed between two writes of the outbox
	PerSecond    float64       // notifications per project
	TokenAge     time.Duration // maximum age of a token when it is sent; 0 reads each again
	ReceiptDelay time.Duration // between a ticket and its receipt
	Attempts     int           // of one request before it is left for the next run
	MaxGone      float64       // maximum share of answers that report a device as gone
	Log          *slog.Logger

	step func(string) error // called between steps; a test's error ends the run there
}

// The defaults of PerSecond, a little less than Expo accepts, because requests that leave
// evenly may arrive unevenly; and of MaxGone, far above the share among active users.
const (
	DefaultPerSecond = 0.9 * expo.MaxPerSecond
	DefaultMaxGone   = 0.2
)

// Why a run ends before the job is done. The next run continues.
var (
	ErrGaveUp  = errors.New("gave up retrying")
	ErrRefused = errors.New("expo refuses every request of the project: check the message and the project's credentials")
	ErrHeld    = errors.New("no device was invalidated, because Expo reports too many as gone")
)

// A Job is a message and the list of its recipients.
type Job struct {
	Users   io.ReaderAt // one user id per line; must be the same in every run
	Content expo.Content
	Data    map[string]any // for the app; the sender adds RecipientKey
}

// RecipientKey is the key of the recipient's user id in the data.
const RecipientKey = "recipient"

// Sender runs one job.
type Sender struct {
	registry Registry
	push     *expo.Client
	outbox   *outbox.Outbox
	job      Job
	o        Options

	queue   chan *work
	open    atomic.Int64    // works that are queued, in progress or waiting for their time
	idle    chan struct{}   // receives when open has become 0 and when planning has ended
	later   *errgroup.Group // works that wait for their time
	stopped chan struct{}   // closed when this run sends nothing more

	mu       sync.Mutex
	projects map[string]*project // by quota
	problems []error             // errors that do not end the run at once

	readings map[string]*reading // by quota; used by follow only
}

// New returns a sender of the job. Run starts it.
func New(registry Registry, push *expo.Client, box *outbox.Outbox, job Job, o Options) *Sender {
	o.Workers = cmp.Or(o.Workers, 6)
	o.PageUsers = cmp.Or(o.PageUsers, 2000)
	o.PerSecond = cmp.Or(o.PerSecond, DefaultPerSecond)
	o.ReceiptDelay = cmp.Or(o.ReceiptDelay, expo.ReceiptDelay)
	o.Attempts = cmp.Or(o.Attempts, 10)
	o.MaxGone = cmp.Or(o.MaxGone, DefaultMaxGone)
	o.Log = cmp.Or(o.Log, slog.Default())
	if o.step == nil {
		o.step = func(string) error { return nil }
	}
	return &Sender{
		registry: registry, push: push, outbox: box, job: job, o: o,
		queue: make(chan *work, o.Workers), idle: make(chan struct{}, 1), stopped: make(chan struct{}),
		projects: map[string]*project{}, readings: map[string]*reading{},
	}
}

// Run works until the job is done, receipts included, and then returns nil. Otherwise
// the error says what is left and why. If ctx ends, Run waits for the requests that are
// in progress and returns the context's error. To continue, call Run of a new Sender
// with the same outbox.
func (s *Sender) Run(ctx context.Context) error {
	last, err := s.outbox.Last() // before this run adds batches
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	s.later = group
	planned := make(chan struct{})
	group.Go(func() error {
		err := s.plan(ctx, last)
		close(planned)
		s.wake()
		return err
	})
	for range s.o.Workers {
		group.Go(func() error { return s.work(ctx) })
	}
	group.Go(func() error {
		if err := s.follow(ctx, planned); err != nil {
			return err
		}
		close(s.queue) // follow returns when nothing more is sent
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return errors.Join(s.problems...)
}

func (s *Sender) work(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case w, more := <-s.queue:
			if !more {
				return nil
			}
			if err := s.deliver(ctx, w); err != nil {
				return err
			}
			s.done()
		}
	}
}

func (s *Sender) done() {
	if s.open.Add(-1) == 0 {
		s.wake()
	}
}

// wake makes follow check again whether everything is sent.
func (s *Sender) wake() {
	select {
	case s.idle <- struct{}{}:
	default:
	}
}

// enqueue passes w to a worker at its time. If w can be sent now, enqueue waits while
// the workers are busy; otherwise it returns at once.
func (s *Sender) enqueue(ctx context.Context, w *work) error {
	s.open.Add(1)
	if wait := time.Until(w.NotBefore); wait > 0 {
		s.later.Go(func() error {
			select {
			case <-time.After(wait):
				return s.hand(ctx, w)
			case <-s.stopped:
				s.done()
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		return nil
	}
	return s.hand(ctx, w)
}

func (s *Sender) hand(ctx context.Context, w *work) error {
	select {
	case s.queue <- w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends sending in this run. The receipts are still fetched.
func (s *Sender) stop(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isStopped() {
		s.problems = append(s.problems, why)
		close(s.stopped)
	}
}

func (s *Sender) isStopped() bool { return isClosed(s.stopped) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// problem records an error that Run returns at its end.
func (s *Sender) problem(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, err)
}

// A work is a batch with its tokens, while they are fresh.
type work struct {
	*outbox.Batch
	tokens []tokens.Token // in the order of Recipients; nil if they have to be read
	readAt time.Time      // of the oldest token

	dropped int // recipients dropped since the batch was last written
}

func (s *Sender) fresh(w *work) bool {
	return w.tokens != nil && s.o.TokenAge > 0 && time.Since(w.readAt) <= s.o.TokenAge
}
