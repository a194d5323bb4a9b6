package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

type lister func(context.Context, tokens.UserID) ([]tokens.Registration, error)

func (l lister) List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	return l(ctx, user)
}

// waits waits for the end of the context.
func waits(ctx context.Context, _ tokens.UserID) ([]tokens.Registration, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func users(n int) []tokens.UserID {
	all := make([]tokens.UserID, n)
	for i := range all {
		all[i] = tokens.UserID(fmt.Sprintf("user-%03d", i))
	}
	return all
}

func one(user tokens.UserID) []tokens.Registration {
	return []tokens.Registration{{Key: tokens.Key{UserID: user, DeviceID: "phone"}}}
}

// TestListUsers: one listing for each user that is read, for any result of List, and
// the same when the sequence is ranged over again.
func TestListUsers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asked := rapid.SliceOfN(rapid.SampledFrom(users(5)), 0, 30).Draw(t, "users")
		n := rapid.IntRange(-1, 40).Draw(t, "n")
		failing := rapid.SampledFrom(users(5)).Draw(t, "failing")
		var running, most, read atomic.Int64
		l := lister(func(_ context.Context, user tokens.UserID) ([]tokens.Registration, error) {
			now := running.Add(1)
			defer running.Add(-1)
			for most.Load() < now {
				most.Store(now)
			}
			if user == failing {
				return one(user), store.ErrTryAgain // ListUsers drops the registrations
			}
			return one(user), nil
		})
		seq := store.ListUsers(context.Background(), l, func(yield func(tokens.UserID) bool) {
			for _, user := range asked {
				if read.Add(1); !yield(user) {
					return
				}
			}
		}, n)

		for range 2 {
			read.Store(0)
			var got []tokens.UserID
			for listing := range seq {
				got = append(got, listing.UserID)
				want := store.Listing{UserID: listing.UserID, Registrations: one(listing.UserID)}
				if listing.UserID == failing {
					want = store.Listing{UserID: failing, Err: store.ErrTryAgain}
				}
				if diff := cmp.Diff(want, listing, cmpopts.EquateErrors()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if ahead := read.Load() - int64(len(got)); ahead > int64(max(n, 1)) {
					t.Errorf("%d users are read ahead, want at most %d", ahead, n)
				}
			}
			slices.Sort(got)
			if want := slices.Sorted(slices.Values(asked)); !slices.Equal(got, want) {
				t.Errorf("got listings of %v, want %v", got, want)
			}
			if most.Load() > int64(max(n, 1)) || running.Load() != 0 {
				t.Errorf("%d calls at once, want at most %d; %d calls after the loop", most.Load(), n, running.Load())
			}
		}
	})
}

// TestListUsersAtOnce: n calls run at once.
func TestListUsersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lister(func(context.Context, tokens.UserID) ([]tokens.Registration, error) {
			time.Sleep(time.Second) // the bubble's time
			return nil, nil
		})
		begin := time.Now()
		for range store.ListUsers(t.Context(), l, slices.Values(users(110)), 10) {
		}
		if took := time.Since(begin); took != 11*time.Second {
			t.Errorf("110 calls of a second, 10 at once, took %v", took)
		}
	})
}

// TestListUsersCanceled: List is not called for users that were read. Their listings have
// the context's error, like the last one, which is for the users that may be left.
func TestListUsersCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var calls, read atomic.Int64
	l := lister(func(_ context.Context, user tokens.UserID) ([]tokens.Registration, error) {
		calls.Add(1)
		return one(user), nil
	})
	endless := func(yield func(tokens.UserID) bool) {
		for yield(users(1_000)[read.Add(1)]) {
		}
	}
	var got []store.Listing
	for listing := range store.ListUsers(ctx, l, endless, 3) {
		got = append(got, listing)
		cancel()
	}
	answered := 0
	for i, listing := range got {
		switch {
		case listing.Err == nil:
			answered++
		case !errors.Is(listing.Err, context.Canceled):
			t.Errorf("%s has error %v, want context.Canceled", listing.UserID, listing.Err)
		case (listing.UserID == "") != (i == len(got)-1):
			t.Errorf("listing %d of %d is of user %q", i+1, len(got), listing.UserID)
		}
	}
	if answered != int(calls.Load()) || answered == 0 || answered == len(got) {
		t.Errorf("%d of %d listings have no error, List was called %d times", answered, len(got), calls.Load())
	}
	if read.Load() > 5 {
		t.Errorf("%d users were read, want those of 3 places and of the first answer", read.Load())
	}
}

// TestListUsersCanceledAtTheEnd: if no user is left, each listing has a user.
func TestListUsersCanceledAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(time.Second, cancel)
		n := 0
		for listing := range store.ListUsers(ctx, lister(waits), slices.Values(users(3)), 4) {
			if n++; listing.UserID == "" || !errors.Is(listing.Err, context.Canceled) {
				t.Errorf("a listing of user %q with error %v", listing.UserID, listing.Err)
			}
		}
		if n != 3 {
			t.Errorf("%d listings, want 3", n)
		}
	})
}

// TestListUsersSlowUsers: neither an answer nor the end of the context waits for
// the next user.
func TestListUsersSlowUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lister(func(context.Context, tokens.UserID) ([]tokens.Registration, error) {
			time.Sleep(time.Millisecond)
			return nil, nil
		})
		slow := func(yield func(tokens.UserID) bool) {
			for _, user := range users(100) {
				time.Sleep(50 * time.Millisecond)
				if !yield(user) {
					return
				}
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 220*time.Millisecond)
		defer cancel()
		begin := time.Now()
		var took []time.Duration
		for range store.ListUsers(ctx, l, slow, 16) {
			took = append(took, time.Since(begin)/time.Millisecond)
		}
		if want := []time.Duration{51, 101, 151, 201, 220}; !slices.Equal(took, want) {
			t.Errorf("listings came after %d ms, want %d", took, want)
		}
	})
}

// TestListUsersFed: users may wait until an earlier listing is handled.
func TestListUsersFed(t *testing.T) {
	for _, leave := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := lister(func(context.Context, tokens.UserID) ([]tokens.Registration, error) { return nil, nil })
			all := users(20)
			queue := make(chan tokens.UserID, 1)
			queue <- all[0]
			var got []tokens.UserID
			for listing := range store.ListUsers(t.Context(), l, func(yield func(tokens.UserID) bool) {
				for user := range queue {
					if !yield(user) {
						return
					}
				}
			}, 4) {
				got = append(got, listing.UserID)
				if len(got) == len(all) {
					if leave {
						break
					}
					close(queue)
				} else {
					queue <- all[len(got)]
				}
			}
			if leave {
				close(queue) // users was not waited for
			}
			equal(t, "listings", all, got)
		})
	}
}

// TestListUsersPanic: a panic of users reaches the caller after all calls have ended.
func TestListUsersPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int64
		l := lister(func(ctx context.Context, _ tokens.UserID) ([]tokens.Registration, error) {
			running.Add(1)
			defer running.Add(-1)
			return waits(ctx, "")
		})
		defer func() {
			if v := recover(); v != "no more" || running.Load() != 0 {
				t.Errorf("panic with %v, and %d calls are under way", v, running.Load())
			}
		}()
		for range store.ListUsers(t.Context(), l, func(yield func(tokens.UserID) bool) {
			yield("alice")
			panic("no more")
		}, 2) {
			t.Error("a listing, before the panic")
		}
	})
}

// TestListUsersStopped: leaving the loop cancels the calls, waits for them, and ends
// the sequence of users.
func TestListUsersStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int64
		l := lister(func(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
			if user == "user-000" {
				return nil, nil
			}
			running.Add(1)
			defer running.Add(-1)
			defer time.Sleep(time.Minute) // a call that is slow to notice, in the bubble's time
			return waits(ctx, user)
		})
		ended := false
		endless := func(yield func(tokens.UserID) bool) {
			defer func() { ended = true }()
			for _, user := range users(100) {
				if !yield(user) {
					return
				}
			}
		}
		for listing := range store.ListUsers(t.Context(), l, endless, 4) {
			if listing.UserID != "user-000" {
				t.Errorf("got a listing of %s, whose call waits for its context", listing.UserID)
			}
			break
		}
		if running.Load() != 0 || !ended {
			t.Errorf("after the loop, %d calls are under way; users has ended: %t", running.Load(), ended)
		}
	})
}
