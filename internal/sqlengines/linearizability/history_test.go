package linearizability

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Three keys, of two users, and three tokens.
var (
	keys = [3]tokens.Key{
		{UserID: "alice", DeviceID: "phone"},
		{UserID: "alice", DeviceID: "tablet"},
		{UserID: "bob", DeviceID: "phone"},
	}
	spellings = [3][]tokens.Token{
		{tokens.MustParseToken("ExponentPushToken[a]"), tokens.MustParseToken("ExpoPushToken[a]")},
		{tokens.MustParseToken("ExponentPushToken[b]"), tokens.MustParseToken("ExpoPushToken[b]")},
		{tokens.MustParseToken("ExponentPushToken[c]"), tokens.MustParseToken("ExpoPushToken[c]")},
	}
)

const (
	clients = 5
	calls   = 8 // of each client
)

// The clock stands still.
var now = time.Date(2051, time.March, 4, 23, 6, 7, 0, time.UTC)

var policy = store.Policy{Now: func() time.Time { return now }}

// A history has the calls of concurrent clients.
type history struct {
	store store.Store
	ends  bool         // some contexts end during their call
	clock atomic.Int64 // orders beginnings and ends
	tags  atomic.Int64

	mu      sync.Mutex
	steps   []porcupine.Operation
	unknown int   // writes that may have been applied
	err     error // that no store may return
}

func record(ctx context.Context, s store.Store, ends bool, seed uint64) *history {
	h := &history{store: s, ends: ends}
	var wg sync.WaitGroup
	for client := range clients {
		rng := rand.New(rand.NewPCG(seed, uint64(client)))
		wg.Go(func() {
			for range calls {
				h.call(ctx, rng, client)
			}
		})
	}
	wg.Wait()
	return h
}

// call makes one call, and records its steps.
func (h *history) call(ctx context.Context, rng *rand.Rand, client int) {
	in := step{key: rng.IntN(len(keys)), token: 1 + rng.IntN(len(spellings))}
	key, token := keys[in.key], spellings[in.token-1][rng.IntN(2)]
	if h.ends && rng.IntN(6) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rng.IntN(4_000))*time.Microsecond)
		defer cancel()
	}
	began := h.clock.Add(1)
	write := func(m method, err error) {
		in.method = m
		h.add(client, began, in, answer{}, err)
	}
	switch n := rng.IntN(20); {
	case n < 9:
		in.method = register
		in.tag = tokens.ProjectID(fmt.Sprint("register", h.tags.Add(1)))
		result, err := h.store.Register(ctx, tokens.Request{Key: key, Token: token, Platform: tokens.IOS, ProjectID: in.tag})
		h.add(client, began, in, answer{outcome: result.Outcome, moved: index(result.MovedFrom) + 1}, err)
	case n < 11:
		in.method = get
		reg, err := h.store.Get(ctx, key)
		h.add(client, began, in, found(reg), err)
	case n < 14:
		in.method = holder
		reg, err := h.store.Holder(ctx, token.Hash())
		h.add(client, began, in, found(reg), err)
	case n < 15:
		in.method = list
		regs, err := h.store.List(ctx, key.UserID)
		h.each(key.UserID, func(k int) {
			in.key = k
			i := slices.IndexFunc(regs, func(r tokens.Registration) bool { return r.Key == keys[k] })
			var out answer
			if i >= 0 {
				out = found(regs[i])
			}
			h.add(client, began, in, out, err)
		})
	case n < 16:
		write(deactivate, h.store.Deactivate(ctx, key))
	case n < 18:
		sentAt := now.Add(store.ClockSkew)
		if in.old = rng.IntN(4) == 0; in.old {
			sentAt = sentAt.Add(-time.Millisecond)
		}
		write(invalidate, h.store.Invalidate(ctx, key, token.Hash(), sentAt))
	case n < 19:
		write(remove, h.store.Delete(ctx, key))
	default:
		err := h.store.DeleteUser(ctx, key.UserID)
		h.each(key.UserID, func(k int) {
			in.key = k
			write(remove, err)
		})
	}
}

// each calls f for each key of the user.
func (h *history) each(user tokens.UserID, f func(key int)) {
	for k := range keys {
		if keys[k].UserID == user {
			f(k)
		}
	}
}

func index(k tokens.Key) int { return slices.Index(keys[:], k) }

func found(reg tokens.Registration) answer {
	token := slices.IndexFunc(spellings[:], func(all []tokens.Token) bool { return all[0].Equal(reg.Token) })
	return answer{found: true, key: index(reg.Key), row: row{token: token + 1, status: reg.Status, tag: reg.ProjectID}}
}

// add records a step that has ended.
func (h *history) add(client int, began int64, in step, out answer, err error) {
	ended := h.clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	reads := in.method == get || in.method == list || in.method == holder
	switch {
	case err == nil:
	case reads && errors.Is(err, store.ErrNotFound):
		out = answer{}
	case in.method == holder && errors.Is(err, store.ErrTryAgain):
		out = answer{again: true}
	case reads && errors.Is(err, store.ErrTryAgain), errors.Is(err, context.DeadlineExceeded) && (reads || !errors.Is(err, store.ErrTryAgain)):
		return
	case !reads && errors.Is(err, store.ErrTryAgain):
		out, ended = answer{unknown: true}, math.MaxInt64
		h.unknown++
	default:
		h.err = fmt.Errorf("%+v: %w", in, err)
	}
	h.steps = append(h.steps, porcupine.Operation{ClientId: client, Input: in, Call: began, Output: out, Return: ended})
}

// check returns the violation in the history, or nil.
func (h *history) check() error {
	if h.err != nil {
		return h.err
	}
	switch porcupine.CheckOperationsTimeout(model, h.steps, 10*time.Second) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return errUndecided
	}
	return fmt.Errorf("%w: %+v", errNotLinearizable, h.steps)
}

var (
	errNotLinearizable = errors.New("the history is not linearizable")
	// Each write of unknown outcome doubles the search.
	errUndecided = errors.New("the history was not decided in time")
)
