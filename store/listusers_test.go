package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

type lister func(context.Context, tokens.UserID) ([]tokens.Registration, error)

func (l lister) List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	return l(ctx, user)
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

// TestListUsers: one listing for each user asked for, whatever List answers.
func TestListUsers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asked := rapid.SliceOfN(rapid.SampledFrom(users(5)), 0, 30).Draw(t, "users")
		n := rapid.IntRange(-1, 40).Draw(t, "n")
		failing := rapid.SampledFrom(users(5)).Draw(t, "failing")
		var running, most atomic.Int64
		l := lister(func(_ context.Context, user tokens.UserID) ([]tokens.Registration, error) {
			now := running.Add(1)
			defer running.Add(-1)
			for most.Load() < now {
				most.Store(now)
			}
			if user == failing {
				return one(user), store.ErrTryAgain // what comes with an error is dropped
			}
			return one(user), nil
		})

		var got []tokens.UserID
		for listing := range store.ListUsers(context.Background(), l, slices.Values(asked), n) {
			got = append(got, listing.UserID)
			want := store.Listing{UserID: listing.UserID, Registrations: one(listing.UserID)}
			if listing.UserID == failing {
				want = store.Listing{UserID: failing, Err: store.ErrTryAgain}
			}
			if diff := cmp.Diff(want, listing, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		slices.Sort(got)
		want := slices.Sorted(slices.Values(asked))
		if !slices.Equal(got, want) {
			t.Errorf("got listings of %v, want %v", got, want)
		}
		if most.Load() > int64(max(n, 1)) {
			t.Errorf("%d calls at once, want at most %d", most.Load(), n)
		}
		if running.Load() != 0 {
			t.Errorf("%d calls are under way after the loop", running.Load())
		}
	})
}

// TestListUsersAtOnce: as many calls run at once as were asked for, neither fewer
// nor more.
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

// TestListUsersCanceled: users that are left get the context's error, and List
// is not called for them.
func TestListUsersCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var calls atomic.Int64
	l := lister(func(_ context.Context, user tokens.UserID) ([]tokens.Registration, error) {
		calls.Add(1)
		return one(user), nil
	})
	got := map[tokens.UserID]error{}
	for listing := range store.ListUsers(ctx, l, slices.Values(users(50)), 3) {
		got[listing.UserID] = listing.Err
		cancel()
	}
	if diff := cmp.Diff(users(50), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	canceled := 0
	for user, err := range got {
		if err == nil {
			continue
		}
		canceled++
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s has error %v, want context.Canceled", user, err)
		}
	}
	if want := 50 - int(calls.Load()); canceled != want || want < 50-6 {
		t.Errorf("%d users have the context's error, and List was called for %d of 50", canceled, calls.Load())
	}
}

// TestListUsersStopped: leaving the loop cancels what runs, waits for it, and
// ends the sequence of users.
func TestListUsersStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int64
		l := lister(func(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
			if user == "user-000" {
				return nil, nil
			}
			running.Add(1)
			defer running.Add(-1)
			<-ctx.Done()
			time.Sleep(time.Minute) // a call that is slow to notice, in the bubble's time
			return nil, ctx.Err()
		})
		ended := false
		endless := func(yield func(tokens.UserID) bool) {
			defer func() { ended = true }()
			for i := 0; yield(tokens.UserID(fmt.Sprintf("user-%03d", i))); i++ {
			}
		}
		for listing := range store.ListUsers(t.Context(), l, endless, 4) {
			if listing.UserID != "user-000" {
				t.Errorf("%s was answered, which waits for its context", listing.UserID)
			}
			break
		}
		if running.Load() != 0 {
			t.Errorf("%d calls are under way after the loop", running.Load())
		}
		if !ended {
			t.Error("the sequence of users has not ended")
		}
	})
}

// TestListUsersReadsAsNeeded: no user is read long before its turn.
func TestListUsersReadsAsNeeded(t *testing.T) {
	l := lister(func(context.Context, tokens.UserID) ([]tokens.Registration, error) { return nil, nil })
	read := 0
	counted := func(yield func(tokens.UserID) bool) {
		for _, user := range users(100) {
			read++
			if !yield(user) {
				return
			}
		}
	}
	answered := 0
	for range store.ListUsers(t.Context(), l, counted, 5) {
		answered++
		if read > answered+5 {
			t.Fatalf("%d users were read when %d had been answered", read, answered)
		}
	}
}

// TestListUsersTwice: the sequence may be ranged over again, and asks again.
func TestListUsersTwice(t *testing.T) {
	l := lister(func(_ context.Context, user tokens.UserID) ([]tokens.Registration, error) { return one(user), nil })
	seq := store.ListUsers(t.Context(), l, slices.Values(users(3)), 2)
	for range 2 {
		n := 0
		for range seq {
			n++
		}
		if n != 3 {
			t.Errorf("%d listings, want 3", n)
		}
	}
}
