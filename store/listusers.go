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

// A Listing is the result of List for one user.
type Listing struct {
	UserID        tokens.UserID
	Registrations []tokens.Registration // nil if Err is not
	Err           error
}

// ListUsers calls List for many users, at most n at the same time; n below 1 means
// 1. It yields one [Listing] for each user that it reads, including duplicates, as
// soon as List returns, in any order. An error of one user is in that user's
// Listing and does not end the loop.
//
// ListUsers reads users lazily, so users may be of any length. users runs in another
// goroutine than the loop body: data that both use needs a lock, and users may
// block, even until the loop body has handled a Listing.
//
// When ctx is done, ListUsers reads no more users. Users that were read get a
// Listing with the context's error. If users has not ended, a last Listing has that
// error and no UserID.
//
// Leaving the loop early cancels the calls of List and waits until all have
// returned. It also waits for users to end, but at most for a second. After that,
// users is stopped at its next yield.
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
				canceled = nil // the next round does not wait for users
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

type reading struct {
	user     tokens.UserID
	more     bool
	panicked any // by users
}

// read calls next in another goroutine.
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

// end stops the sequence of users. It waits at most a second for a read under way, because a
// sequence that waits for the loop body would never return.
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
