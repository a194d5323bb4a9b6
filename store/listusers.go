package store

import (
	"context"
	"iter"

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
// exactly one [Listing] for each user asked for, duplicates too, in any order.
// One user's error is that user's answer and ends nothing. When ctx is done, the
// users that are left get its error.
//
// users is read as needed, from the goroutine that ranges over the result; its
// length does not matter to memory. Stopping early cancels what runs, and waits
// for it: when the loop is left, no call of List is under way.
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
		answers := make(chan Listing)
		running := 0
		defer func() {
			cancel()
			for ; running > 0; running-- {
				<-answers
			}
			stop()
		}()

		more := true
		for {
			for more && running < n {
				var user tokens.UserID
				if user, more = next(); more {
					running++
					go func() { answers <- list(ctx, s, user) }()
				}
			}
			if running == 0 {
				return
			}
			answer := <-answers
			running--
			if !yield(answer) {
				return
			}
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
