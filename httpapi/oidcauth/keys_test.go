package oidcauth

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
)

// An endpoint is the source of a keyCache, in a bubble of testing/synctest.
type endpoint struct {
	ids     []string // of the keys that it has
	skipped []skippedKey
	err     error
	slow    time.Duration
	fetches int
}

func (e *endpoint) fetch(ctx context.Context) (published, error) {
	e.fetches++
	if e.slow > 0 {
		select {
		case <-time.After(e.slow):
		case <-ctx.Done():
			return published{}, ctx.Err()
		}
	}
	keys := []jose.JSONWebKey{}
	for _, id := range e.ids {
		keys = append(keys, jose.JSONWebKey{KeyID: id})
	}
	return published{keys: keys, skipped: e.skipped}, e.err
}

func (e *endpoint) cache() *keyCache { return newKeyCache(e.fetch, time.Now) }

func anyKey(jose.JSONWebKey) bool { return true }

func badSignature(jose.JSONWebKey) bool { return false }

func verify(t *testing.T, c *keyCache, id string, want error) {
	t.Helper()
	if err := c.verify(t.Context(), id, "ES256", anyKey); !errors.Is(err, want) {
		t.Errorf("key %q: error is %v, want %v", id, err, want)
	}
}

func (e *endpoint) expect(t *testing.T, fetches int) {
	t.Helper()
	if e.fetches != fetches {
		t.Errorf("the keys were fetched %d times, want %d", e.fetches, fetches)
	}
}

// The errors of a verification.
var (
	rejected = httpapi.ErrUnauthenticated
	tryAgain = store.ErrTryAgain
)

func TestKeysAreFetchedOnceAndRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{ids: []string{"a"}}
		c := e.cache()
		e.expect(t, 0)
		for range 100 {
			verify(t, c, "a", nil)
		}
		e.expect(t, 1)

		e.ids = []string{"a", "b"}
		verify(t, c, "b", nil) // at once
		verify(t, c, "a", nil)
		e.expect(t, 2)

		e.ids = []string{"b"}
		verify(t, c, "a", nil) // withdrawn, but not fetched again yet
		time.Sleep(refreshAfter)
		verify(t, c, "a", rejected)
		verify(t, c, "b", nil)
	})
}

// TestFloodOfUnknownKeys has forged tokens that use up the fetches. While no fetch is
// allowed, an unknown key may be one that was just published.
func TestFloodOfUnknownKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{ids: []string{"a"}}
		c := e.cache()
		for i := range fetchBurst {
			verify(t, c, fmt.Sprint("forged-", i), rejected)
		}
		for i := range 1000 {
			verify(t, c, fmt.Sprint("forged-", i), tryAgain)
		}
		e.expect(t, fetchBurst)
		if err := c.verify(t.Context(), "a", "ES256", badSignature); !errors.Is(err, rejected) {
			t.Errorf("a bad signature of a known key: error is %v", err)
		}
		if err := c.verify(t.Context(), "", "ES256", badSignature); !errors.Is(err, tryAgain) {
			t.Errorf("no key id: error is %v", err)
		}

		e.ids = append(e.ids, "b") // a new key becomes known within the interval, despite the flood
		known := 0
		const minutes = 10
		for i := range minutes * 60 {
			time.Sleep(time.Second)
			forged := c.verify(t.Context(), fmt.Sprint("forged-", i), "ES256", anyKey)
			if !errors.Is(forged, rejected) && !errors.Is(forged, tryAgain) {
				t.Errorf("a forged token: error is %v", forged)
			}
			verify(t, c, "a", nil)
			switch err := c.verify(t.Context(), "b", "ES256", anyKey); {
			case err == nil:
				known++
			case known > 0 || !errors.Is(err, tryAgain):
				t.Errorf("a token of the new key, after %d s: error is %v", i, err)
			}
		}
		if least := minutes*60 - int(fetchInterval/time.Second); known < least {
			t.Errorf("the new key was known for %d s, want %d", known, least)
		}
		e.expect(t, fetchBurst+int(minutes*time.Minute/fetchInterval))
	})
}

// TestSkippedKeys has keys that are published and cannot be used.
func TestSkippedKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{ids: []string{"a"}, skipped: []skippedKey{{id: "odd", signs: true}, {id: "enc"}}}
		c := e.cache()
		verify(t, c, "odd", tryAgain)
		verify(t, c, "enc", tryAgain)
		verify(t, c, "other", rejected)
		// A token without a key id may be signed with a skipped key for signatures.
		if err := c.verify(t.Context(), "", "ES256", badSignature); !errors.Is(err, tryAgain) {
			t.Errorf("no key id: error is %v", err)
		}
		c = e.cache()
		e.skipped = e.skipped[1:]
		if err := c.verify(t.Context(), "", "ES256", badSignature); !errors.Is(err, rejected) {
			t.Errorf("no key id, and a key for encryption: error is %v", err)
		}
		e.ids, e.skipped = append(e.ids, "odd"), nil // the issuer corrects the key
		verify(t, c, "odd", nil)
	})
}

func TestUnreachableIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		e := &endpoint{err: down}
		c := e.cache()
		for range 100 {
			verify(t, c, "a", tryAgain) // never rejected, because it may be valid
		}
		e.expect(t, fetchBurst)

		e.err, e.ids = nil, []string{"a"}
		time.Sleep(fetchInterval)
		verify(t, c, "a", nil)

		e.err = down
		time.Sleep(refreshAfter)
		for range 100 {
			verify(t, c, "a", nil) // with the keys of an hour ago
			verify(t, c, "b", tryAgain)
		}
		time.Sleep(trustFor - refreshAfter)
		verify(t, c, "a", tryAgain)
	})
}

func TestSlowIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{ids: []string{"a"}, slow: time.Second}
		c := e.cache()
		results := make(chan error)
		for range 100 {
			go func() { results <- c.verify(t.Context(), "a", "ES256", anyKey) }()
		}
		for range 100 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		e.expect(t, 1)
	})
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{ids: []string{"a"}, slow: time.Hour}
		c := e.cache()
		began := time.Now()
		verify(t, c, "a", tryAgain)
		if waited := time.Since(began); waited != fetchTimeout {
			t.Errorf("waited %v, want %v", waited, fetchTimeout)
		}

		// If a caller has less time, the fetch continues for the others.
		e.slow = 2 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := c.verify(ctx, "a", "ES256", anyKey)
		if !errors.Is(err, tryAgain) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v", err)
		}
		verify(t, c, "a", nil)
		e.expect(t, 2)
	})
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AA"},{"kty":"RSA","n":"AQ","e":"AQAB"},null,[]]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","x5c":["AA=="],"use":7}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseKeys(data)
		if (len(p.keys) == 0) != (err != nil) {
			t.Fatalf("%d keys and the error %v", len(p.keys), err)
		}
		for _, key := range p.keys {
			if !key.IsPublic() || len(key.Certificates) != 0 {
				t.Errorf("took a %T with %d certificates", key.Key, len(key.Certificates))
			}
		}
	})
}
