package store

import (
	"context"
	"iter"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Lister is the part of [Store] that a sender needs.
type Lister interface {
	List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error)
}

// A Listing is what List answered for one user.
type Listing struct {
	UserID        tokens.UserID
	Registrations []tokens.Registration // nil if Err is not
	Err           error
}

// ListUsers lists many users, at most n at a time; n below 1 means 1. It yields
// one [Listing] for each user that it reads, duplicates too, in any order, each
// as soon as its List has answered. One user's error is that user's answer and
// ends nothing.
//
// users is read as needed, one user for each free place; its length does not
// matter to memory. It runs beside the loop, so it may wait, also for what the
// loop does with an answer, and what they share needs a lock.
//
// When ctx is done, no more users are read: the ones that were read get the
// error of ctx, and unless users has ended, so does a last Listing without a
// UserID. Stopping early cancels what runs, and waits for it: when the loop is
// left, no call of List is under way. It waits for the end of users as well, but
// for a second at most: then users ends when it next yields.
//
//	for l := range store.ListUsers(ctx, s, slices.Values(users), 16) {
//		if l.Err != nil { … }
//		for _, r := range l.Registrations { … }
//	}
func ListUsers(ctx context.Context, s Lister, users iter.Seq[tokens.UserID], n int) iter.Seq[Listing] {
	n = max(n, 1)
	return func(yield func(Listing) bool) {
		ctx, cancel := context.WithCancel(ctx)
		next, stop := iter.Pull(users)
		var (
			reads    <-chan reading // nil while users is not read
			answers  = make(chan Listing)
			canceled = ctx.Done()
			running  = 0
			more     = true
		)
		defer func() {
			cancel()
			for ; running > 0; running-- {
				<-answers
			}
			end(reads, stop)
		}()

		for {
			if more && reads == nil && running < n && ctx.Err() == nil {
				reads = read(next)
			}
			if running == 0 && (reads == nil || ctx.Err() != nil) {
				break
			}
			select {
			case r := <-reads:
				reads = nil
				if r.panicked != nil {
					panic(r.panicked)
				}
				if more = r.more; more {
					running++
					go func() { answers <- list(ctx, s, r.user) }()
				}
			case answer := <-answers:
				running--
				if !yield(answer) {
					return
				}
			case <-canceled:
				canceled = nil // the source is not waited for any longer
			}
		}
		if err := ctx.Err(); err != nil && more {
			yield(Listing{Err: err})
		}
	}
}

func list(ctx context.Context, s Lister, user tokens.UserID) Listing {
	if err := ctx.Err(); err != nil {
		return Listing{UserID: user, Err: err}
	}
	regs, err := s.List(ctx, user)
	if err != nil {
		return Listing{UserID: user, Err: err}
	}
	return Listing{UserID: user, Registrations: regs}
}

// A reading is a user, or the end of users.
type reading struct {
	user     tokens.UserID
	more     bool
	panicked any // by users
}

// read calls next in a goroutine of its own.
func read(next func() (tokens.UserID, bool)) <-chan reading {
	c := make(chan reading, 1)
	go func() {
		var r reading
		defer func() {
			r.panicked = recover()
			c <- r
		}()
		r.user, r.more = next()
	}()
	return c
}

// end ends the users that next reads, if reads is not nil, and waits for that. A
// sequence that waits for the loop, which is left, would never end: after a
// second it is left to itself.
func end(reads <-chan reading, stop func()) {
	if reads == nil {
		stop()
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-reads
		stop()
	}()
	select {
	case <-ended:
	case <-time.After(time.Second):
	}
}
