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
	refreshAfter  = time.Hour        // how long a withdrawn key remains valid
	trustFor      = 24 * time.Hour   // the same, if the issuer cannot be reached
	fetchTimeout  = 5 * time.Second  // for discovery and keys together
	fetchInterval = 10 * time.Second // between fetches, once fetchBurst is used up
	fetchBurst    = 5                // fetches in a row, so that a rotation just after a start does not wait
)

var (
	// errTooSoon: the rate limit does not allow a fetch now.
	errTooSoon = errors.New("not fetched again yet, and the token's key is not among them")
	// errSkipped: the key that may verify the token is published but cannot be used.
	errSkipped = errors.New("the token's key cannot be parsed, is too short, or is not for signatures")
)

// A keyCache holds the issuer's keys and fetches them when needed.
type keyCache struct {
	fetch   func(context.Context) (published, error)
	now     func() time.Time
	flight  singleflight.Group
	limiter *rate.Limiter

	mu   sync.Mutex
	keys keySet
}

// A keySet is not modified once it is in the cache.
type keySet struct {
	published
	fetched time.Time // when the fetch began; zero before the first fetch
	current bool      // no fetch has failed since then
}

func newKeyCache(fetch func(context.Context) (published, error), now func() time.Time) *keyCache {
	return &keyCache{fetch: fetch, now: now, limiter: rate.NewLimiter(rate.Every(fetchInterval), fetchBurst)}
}

// verify returns nil if a key of the issuer with that id and for that algorithm passes the
// check. It returns an error of [refused] if none does, and one that matches
// [store.ErrTryAgain] if that is not certain now.
func (c *keyCache) verify(ctx context.Context, id, algorithm string, check func(jose.JSONWebKey) bool) error {
	now := c.now()
	set := c.cached()
	if now.Sub(set.fetched) < refreshAfter && set.verifies(id, algorithm, check) {
		return nil
	}
	err := c.refresh(ctx)
	set = c.cached() // also after an error, because another request may have fetched them
	switch {
	case now.Sub(set.fetched) < trustFor && set.verifies(id, algorithm, check):
		return nil
	case err == nil && set.mayVerify(id):
		err = errSkipped
	case err == nil, errors.Is(err, errTooSoon) && set.current && set.has(id) && !set.mayVerify(id):
		// The keys are only a few seconds old. The issuer may have published a key
		// since, but not another one with the same id.
		return refused("no key of the issuer verifies it")
	}
	return fmt.Errorf("%w: keys of the issuer: %w", store.ErrTryAgain, err)
}

// refresh fetches the keys. Concurrent calls share one fetch. If the context of a call
// ends, the fetch continues for the others.
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

// verifies reports whether a key passes the check. For a token without a key id, there must
// be only one key (OpenID Connect Core 1.0, section 10.1).
func (s keySet) verifies(id, algorithm string, check func(jose.JSONWebKey) bool) bool {
	for _, key := range s.keys {
		named := key.KeyID == id || id == "" && len(s.keys) == 1
		if named && isFor(key, algorithm) && check(key) {
			return true
		}
	}
	return false
}

// isFor reports whether the key may be used with the algorithm. Ed25519 is the newer name
// of EdDSA with an Ed25519 key (RFC 9864, section 2.2).
func isFor(key jose.JSONWebKey, algorithm string) bool {
	return key.Algorithm == "" || key.Algorithm == algorithm || key.Algorithm == "Ed25519" && algorithm == "EdDSA"
}

// has reports whether there is a usable key with that id.
func (s keySet) has(id string) bool {
	return id != "" && slices.ContainsFunc(s.keys, func(key jose.JSONWebKey) bool { return key.KeyID == id })
}

// mayVerify reports whether a skipped key may have signed a token with that key id.
func (s keySet) mayVerify(id string) bool {
	return slices.ContainsFunc(s.skipped, func(key skippedKey) bool {
		return key.id == id && id != "" || key.signs && id == ""
	})
}
