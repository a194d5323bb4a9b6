package oidcauth

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/devicetokens/devicetokens/store"
)

// The package comment states these figures.
const (
	refreshAfter  = time.Hour        // a key that the issuer withdrew is good for so long
	trustFor      = 24 * time.Hour   // and for so long if the issuer cannot be reached
	fetchTimeout  = 5 * time.Second  // of discovery and keys together
	fetchInterval = 10 * time.Second // on average, once fetchBurst is used up
	fetchBurst    = 5                // a rotation right after a start is not kept waiting
)

// errTooSoon says that the keys were not fetched, since they were just now.
var errTooSoon = errors.New("fetched a moment ago")

// A keyCache has the keys of the issuer, and knows when to fetch them.
type keyCache struct {
	fetch   func(context.Context) ([]jose.JSONWebKey, error)
	now     func() time.Time
	flight  singleflight.Group
	limiter *rate.Limiter

	mu   sync.Mutex
	keys keySet
}

// A keySet is never changed once it is in the cache.
type keySet struct {
	keys    []jose.JSONWebKey
	fetched time.Time // when the fetch began; zero if there was none
	current bool      // no fetch has failed since
}

func newKeyCache(fetch func(context.Context) ([]jose.JSONWebKey, error), now func() time.Time) *keyCache {
	return &keyCache{fetch: fetch, now: now, limiter: rate.NewLimiter(rate.Every(fetchInterval), fetchBurst)}
}

// verify returns nil if a key of the issuer with that id, for that algorithm,
// passes the check; an error of [refused] if none does; and one that matches
// [store.ErrTryAgain] if that cannot be told now.
func (c *keyCache) verify(ctx context.Context, id, algorithm string, check func(jose.JSONWebKey) bool) error {
	now := c.now()
	set := c.cached()
	if now.Sub(set.fetched) < refreshAfter && set.verifies(id, algorithm, check) {
		return nil
	}
	err := c.refresh(ctx)
	set = c.cached() // also after an error: somebody else may have fetched them meanwhile
	switch {
	case now.Sub(set.fetched) < trustFor && set.verifies(id, algorithm, check):
		return nil
	case err == nil, errors.Is(err, errTooSoon) && set.current:
		// Too soon means that the keys are a few seconds old, and so is any key
		// that they lack. An issuer publishes a key before it uses it.
		return refused("no key of the issuer verifies it")
	}
	return fmt.Errorf("%w: keys of the issuer: %w", store.ErrTryAgain, err)
}

// refresh fetches the keys, together with whoever else waits for them. Whoever
// waits no longer leaves the fetch to the others.
func (c *keyCache) refresh(ctx context.Context) error {
	fetched := c.flight.DoChan("", func() (any, error) {
		began := c.now()
		if !c.limiter.AllowN(began, 1) {
			return nil, errTooSoon
		}
		ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
		defer cancel()
		keys, err := c.fetch(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil {
			c.keys.current = false
			return nil, err
		}
		c.keys = keySet{keys: keys, fetched: began, current: true}
		return nil, nil
	})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case result := <-fetched:
		return result.Err
	}
}

func (c *keyCache) cached() keySet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys
}

// verifies reports whether a key passes the check. A token that names no key is
// checked with the only one (OpenID Connect Core 1.0, section 10.1).
func (s keySet) verifies(id, algorithm string, check func(jose.JSONWebKey) bool) bool {
	for _, key := range s.keys {
		named := key.KeyID == id || id == "" && len(s.keys) == 1
		if named && (key.Algorithm == "" || key.Algorithm == algorithm) && check(key) {
			return true
		}
	}
	return false
}

// isUsable reports whether tokens may be verified with the key: it is a public one
// (of a secret key, the token's maker would be anybody who has it), for
// signatures, and long enough (RFC 7518, section 3.3).
func isUsable(key jose.JSONWebKey) bool {
	if r, ok := key.Key.(*rsa.PublicKey); ok && r.N.BitLen() < 2048 {
		return false
	}
	return key.Valid() && key.IsPublic() && (key.Use == "" || key.Use == "sig")
}
