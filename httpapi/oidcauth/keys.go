package oidcauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

var (
	// errTooSoon: the keys were not fetched, since they were just now.
	errTooSoon = errors.New("fetched a moment ago, and the token's key is not among them")
	// errSkipped: the key that may verify the token is published, but not usable.
	errSkipped = errors.New("the token's key cannot be read, is too short, or is not for signatures")
)

// A keyCache has the keys of the issuer, and knows when to fetch them.
type keyCache struct {
	fetch   func(context.Context) (published, error)
	now     func() time.Time
	flight  singleflight.Group
	limiter *rate.Limiter

	mu   sync.Mutex
	keys keySet
}

// A keySet is never changed once it is in the cache.
type keySet struct {
	published
	fetched time.Time // when the fetch began; zero if there was none
	current bool      // no fetch has failed since
}

func newKeyCache(fetch func(context.Context) (published, error), now func() time.Time) *keyCache {
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
	set = c.cached() // also after an error: another request may have fetched them meanwhile
	switch {
	case now.Sub(set.fetched) < trustFor && set.verifies(id, algorithm, check):
		return nil
	case err == nil && set.mayVerify(id):
		err = errSkipped
	case err == nil, errors.Is(err, errTooSoon) && set.current && set.has(id) && !set.mayVerify(id):
		// Too soon means that the keys are a few seconds old. The issuer may have
		// published a key since, but not one of the same id.
		return refused("no key of the issuer verifies it")
	}
	return fmt.Errorf("%w: keys of the issuer: %w", store.ErrTryAgain, err)
}

// refresh fetches the keys. Concurrent calls share one fetch, and a call whose
// context ends leaves the fetch to the others.
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
		c.keys = keySet{published: keys, fetched: began, current: true}
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
		if named && isFor(key, algorithm) && check(key) {
			return true
		}
	}
	return false
}

// isFor reports whether the key may be used with the algorithm. Ed25519 is the
// newer name of EdDSA with such a key (RFC 9864, section 2.2).
func isFor(key jose.JSONWebKey, algorithm string) bool {
	return key.Algorithm == "" || key.Algorithm == algorithm || key.Algorithm == "Ed25519" && algorithm == "EdDSA"
}

// has reports whether there is a usable key of that id.
func (s keySet) has(id string) bool {
	return id != "" && slices.ContainsFunc(s.keys, func(key jose.JSONWebKey) bool { return key.KeyID == id })
}

// mayVerify reports whether a key that was skipped may be the one that signed a
// token with that key id.
func (s keySet) mayVerify(id string) bool {
	return slices.ContainsFunc(s.skipped, func(key skippedKey) bool {
		return key.id == id && id != "" || key.signs && id == ""
	})
}
