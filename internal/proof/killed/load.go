package killed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Few enough keys and tokens for the goroutines to meet, and so many that a
// user's devices are never above the limit, whose evictions no history has.
const (
	workers = 8
	users   = 6
	devices = 3
	phones  = 24
)

func randomKey() tokens.Key {
	return tokens.Key{
		UserID:   tokens.UserID(fmt.Sprintf("user-%d", rand.N(users))),
		DeviceID: tokens.DeviceID(fmt.Sprintf("device-%d", rand.N(devices))),
	}
}

// randomToken spells one of the tokens in one of two ways.
func randomToken() tokens.Token {
	spelling := []string{"ExponentPushToken[%d]", "ExpoPushToken[%d]"}[rand.N(2)]
	return tokens.MustParseToken(fmt.Sprintf(spelling, rand.N(phones)))
}

// A load is random operations by several goroutines.
type load struct {
	store   store.Store
	history *history

	mu      sync.Mutex
	reached *sync.Cond // signalled at each acknowledged write
	acked   int
	unknown int
	reads   int
	bridged int // acknowledged writes that were under way at a kill
	kills   []int64
	wrong   []string
}

func newLoad(s store.Store) *load {
	l := &load{store: s, history: &history{}}
	l.reached = sync.NewCond(&l.mu)
	return l
}

// start lets the goroutines loose, until ctx is done and what is under way has
// ended; then wait returns.
func (l *load) start(ctx context.Context) (wait func()) {
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for ctx.Err() == nil {
				l.step(context.WithoutCancel(ctx))
			}
		})
	}
	return running.Wait
}

// waitFor waits until n more writes are acknowledged.
func (l *load) waitFor(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n += l.acked; l.acked < n; {
		l.reached.Wait()
	}
}

// killed notes that the engine is dead.
func (l *load) killed() {
	now := l.history.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kills = append(l.kills, now)
}

// step is one random operation: mostly registrations.
func (l *load) step(ctx context.Context) {
	w := write{key: randomKey(), token: randomToken(), start: l.history.now()}
	var err error
	switch n := rand.N(100); {
	case n < 55:
		w.kind = register
		_, err = l.store.Register(ctx, tokens.Request{Key: w.key, Token: w.token, Platform: tokens.IOS})
	case n < 65:
		w.kind = deactivate
		err = l.store.Deactivate(ctx, w.key)
	case n < 75:
		w.kind = invalidate
		// A message of the future, since one is ignored that was sent
		// before the device registered.
		err = l.store.Invalidate(ctx, w.key, w.token, time.Now().Add(time.Hour))
	case n < 83:
		w.kind = remove
		err = l.store.Delete(ctx, w.key)
	case n < 86:
		w.kind = removeUser
		err = l.store.DeleteUser(ctx, w.key.UserID)
	default:
		l.read(ctx, n, w)
		return
	}
	w.acked = err == nil
	l.history.add(w)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case w.acked:
		l.acked++
		l.reached.Broadcast()
		if n := len(l.kills); n > 0 && w.start < l.kills[n-1] {
			l.bridged++
		}
	case errors.Is(err, store.ErrTryAgain):
		l.unknown++
	default:
		l.wrong = append(l.wrong, fmt.Sprintf("%s: the error does not say to try again: %v", w.kind, err))
	}
}

// read is an operation that changes nothing, and checks what it can by itself.
func (l *load) read(ctx context.Context, n int, w write) {
	var err error
	complaint := ""
	switch {
	case n < 91:
		var all []tokens.Registration
		all, err = l.store.List(ctx, w.key.UserID)
		for _, r := range all {
			if r.Key.UserID != w.key.UserID || !r.Active() {
				complaint = "List has what it must not"
			}
		}
	case n < 96:
		var r tokens.Registration
		r, err = l.store.Holder(ctx, w.token)
		if err == nil && !r.Token.Equal(w.token) {
			complaint = "Holder names one that has another token"
		}
	default:
		_, err = l.store.Get(ctx, w.key)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	if err != nil && !errors.Is(err, store.ErrTryAgain) && !errors.Is(err, store.ErrNotFound) {
		complaint = fmt.Sprintf("a read: %v", err)
	}
	if complaint != "" {
		l.wrong = append(l.wrong, complaint)
	}
}
