// Package sender sends one message to the devices of many users, and sees to
// what Expo says about it later.
//
// A batch goes through these states, each written to the outbox before the next
// step is taken:
//
//	planned   who is in it: keys and hashes, no tokens
//	sending   the attempt and its time, just before the request
//	answered  the tickets; the batch is gone from the queue for good
//	fetched   the receipts; the tickets are gone
//
// A batch that is killed in the state sending may have been sent or not. It is sent
// again, and its users may get the message twice. The same holds for a batch whose
// answer was lost or was a 5xx. A batch that Expo answered is not sent again, except
// for messages that it answered with MessageRateExceeded.
//
// A refused request is split until the messages that cause the refusal are alone.
// See projects.go for when a project is given up instead.
//
// A token is used only if it was read at most Options.TokenAge before its request,
// and at most once: before a repeat the registration is read again, so that a
// phone which changed hands in between is left alone. Between the read and the
// phone there is always some time left, and so the message names its recipient
// in its data: the app drops what is not for the user in session.
package sender

import (
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

// Options are what a sender may be told. The zero value is what Expo recommends.
type Options struct {
	Workers      int           // requests to Expo at once; 0 means 6, as in Expo's own SDK
	Reads        int           // calls of the registry at once, for each worker; 0 means 16
	PageUsers    int           // users listed before the outbox is written; 0 means 2,000
	PerSecond    float64       // notifications for one project; 0 means DefaultPerSecond
	TokenAge     time.Duration // the greatest age of a token on its way out; 0 reads each again
	ReceiptDelay time.Duration // between a ticket and its receipt; 0 means expo.ReceiptDelay
	Attempts     int           // of one request in a row before it is left to the next run; 0 means 10
	MaxGone      float64       // share of the answers that may call a device gone; 0 means DefaultMaxGone
	Log          *slog.Logger  // nil means slog.Default()

	step func(string) error // tests end the run here
}

// DefaultPerSecond is a little less than Expo takes: requests that leave evenly
// may arrive unevenly. Six of a hundred fit into a second with 110 ms to spare.
const DefaultPerSecond = 0.9 * expo.MaxPerSecond

// DefaultMaxGone is far above what a list of living users comes to.
const DefaultMaxGone = 0.2

// Why a run ends before its job does. The next run goes on from there.
var (
	ErrGaveUp  = errors.New("gave up repeating")
	ErrRefused = errors.New("expo refuses every message of a project")
	ErrHeld    = errors.New("nothing was invalidated: too many answers call a device gone, as they do when a project's credentials are wrong")
)

// A Job is whom to send what.
type Job struct {
	Users   io.ReaderAt // a user id a line; it is the same in every run
	Content expo.Content
	Data    map[string]any // given to the app, with RecipientKey added
}

// RecipientKey is where the app finds whom a message is for.
const RecipientKey = "recipient"

// Sender runs one job.
type Sender struct {
	registry Registry
	push     *expo.Client
	outbox   *outbox.Outbox
	job      Job
	o        Options

	queue   chan *work
	open    atomic.Int64    // works that are queued, under way or wait for their time
	later   *errgroup.Group // waits for the time of works
	stopped chan struct{}   // closed when nothing more is to be sent in this run

	mu       sync.Mutex
	projects map[string]*project // by quota
	problems []error             // that do not end the run at once

	readings map[string]*reading // by quota; follow's alone
}

// New returns a sender of the job. It does nothing yet.
func New(registry Registry, push *expo.Client, box *outbox.Outbox, job Job, o Options) *Sender {
	setDefault(&o.Workers, 6)
	setDefault(&o.Reads, 16)
	setDefault(&o.PageUsers, 2000)
	setDefault(&o.PerSecond, DefaultPerSecond)
	setDefault(&o.ReceiptDelay, expo.ReceiptDelay)
	setDefault(&o.Attempts, 10)
	setDefault(&o.MaxGone, DefaultMaxGone)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.step == nil {
		o.step = func(string) error { return nil }
	}
	return &Sender{
		registry: registry, push: push, outbox: box, job: job, o: o,
		queue: make(chan *work, o.Workers), stopped: make(chan struct{}),
		projects: map[string]*project{}, readings: map[string]*reading{},
	}
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

// Run goes on with the job until it is done: all is sent, receipts included. It
// returns nil then, and otherwise what is left and why. If ctx is done it
// finishes the requests that are under way and returns the context's error. To
// go on, run the job again, with a new Sender on the same outbox.
func (s *Sender) Run(ctx context.Context) error {
	last, err := s.outbox.Last() // before anything of this run is in it
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	s.later = group
	planned := make(chan struct{})
	group.Go(func() error {
		defer close(planned)
		return s.plan(ctx, last)
	})
	for range s.o.Workers {
		group.Go(func() error { return s.work(ctx) })
	}
	group.Go(func() error {
		if err := s.follow(ctx, planned); err != nil {
			return err
		}
		close(s.queue) // follow ends when nothing comes any more
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
			s.open.Add(-1)
		}
	}
}

// enqueue hands w to a worker, when its time has come. It waits while the
// workers are busy, unless w has to wait itself.
func (s *Sender) enqueue(ctx context.Context, w *work) error {
	s.open.Add(1)
	if wait := time.Until(w.NotBefore); wait > 0 {
		s.later.Go(func() error {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			select {
			case <-timer.C:
				return s.hand(ctx, w)
			case <-s.stopped:
				s.open.Add(-1)
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

// stop ends the sending of this run for a reason. What was sent is followed up.
func (s *Sender) stop(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isStopped() {
		s.problems = append(s.problems, why)
		close(s.stopped)
	}
}

func (s *Sender) isStopped() bool {
	select {
	case <-s.stopped:
		return true
	default:
		return false
	}
}

// problem records what the run ends with.
func (s *Sender) problem(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, err)
}

// A work is a batch with its tokens, while they are fresh.
type work struct {
	*outbox.Batch
	tokens []tokens.Token // as Recipients; nil if they have to be read
	readAt time.Time      // of the oldest

	dropped int // recipients, since it was last written
}

// fresh reports whether the tokens may go out.
func (s *Sender) fresh(w *work) bool {
	return w.tokens != nil && s.o.TokenAge > 0 && time.Since(w.readAt) <= s.o.TokenAge
}
