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
// What is killed in sending was sent or was not, and nobody can tell: it is sent
// again, and its users may be told twice. So is a request whose answer was lost,
// or was a 5xx. What was answered is never sent again.
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
	Invalidate(ctx context.Context, key tokens.Key, t tokens.Token, sentAt time.Time) error
}

// Options are what a sender may be told. The zero value is what Expo recommends.
type Options struct {
	Workers      int           // requests to Expo at once; 0 means 6, as in Expo's own SDK
	Reads        int           // calls of the registry at once, for each worker; 0 means 16
	PageUsers    int           // users listed before the outbox is written; 0 means 2,000
	PerSecond    float64       // notifications for one project; 0 means DefaultPerSecond
	TokenAge     time.Duration // the greatest age of a token on its way out; 0 reads each again
	ReceiptDelay time.Duration // between a ticket and its receipt; 0 means expo.ReceiptDelay
	Attempts     int           // of one request in a row before the run ends; 0 means 10
	Log          *slog.Logger  // nil means slog.Default()

	step func(string) error // tests end the run here
}

// DefaultPerSecond is a little less than Expo takes: requests that leave evenly
// may arrive unevenly. Six of a hundred fit into a second with 110 ms to spare.
const DefaultPerSecond = 0.9 * expo.MaxPerSecond

// ErrGaveUp says that a request was refused, or not answered, too many times in
// a row. The next run goes on from there.
var ErrGaveUp = errors.New("gave up repeating")

// A Job is whom to send what.
type Job struct {
	Users   io.ReaderAt // a user id a line; it is the same in every run
	Content expo.Content
	Data    map[string]any // given to the app, with recipientKey added
}

// recipientKey is where the app finds whom a message is for.
const recipientKey = "recipient"

// Sender runs one job.
type Sender struct {
	registry Registry
	push     *expo.Client
	outbox   *outbox.Outbox
	job      Job
	o        Options

	mu    sync.Mutex
	gates map[string]*gate // by quota
}

// New returns a sender of the job. It does nothing yet.
func New(registry Registry, push *expo.Client, box *outbox.Outbox, job Job, o Options) *Sender {
	setDefault(&o.Workers, 6)
	setDefault(&o.Reads, 16)
	setDefault(&o.PageUsers, 2000)
	setDefault(&o.PerSecond, DefaultPerSecond)
	setDefault(&o.ReceiptDelay, expo.ReceiptDelay)
	setDefault(&o.Attempts, 10)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.step == nil {
		o.step = func(string) error { return nil }
	}
	return &Sender{registry: registry, push: push, outbox: box, job: job, o: o, gates: map[string]*gate{}}
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

// Run goes on with the job until it is done: all is sent, receipts included. It
// returns nil then, and otherwise why it stopped. If ctx is done it finishes the
// requests that are under way and returns the context's error. To go on, run it
// again, on the same outbox.
func (s *Sender) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	queue := make(chan *work, s.o.Workers)
	sent := make(chan struct{}) // closed when nothing is left to send
	group.Go(func() error {
		defer close(queue)
		return s.plan(ctx, queue)
	})
	group.Go(func() error {
		workers, ctx := errgroup.WithContext(ctx)
		for range s.o.Workers {
			workers.Go(func() error { return s.work(ctx, queue) })
		}
		if err := workers.Wait(); err != nil {
			return err
		}
		close(sent)
		return nil
	})
	group.Go(func() error { return s.follow(ctx, sent) })
	return group.Wait()
}

func (s *Sender) work(ctx context.Context, queue <-chan *work) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case w, more := <-queue:
			if !more {
				return nil
			}
			if err := s.deliver(ctx, w); err != nil {
				return err
			}
		}
	}
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
