package memstore

import (
	"context"
	"crypto/sha256"
	"iter"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A Store is a [store.Store] in memory. Make one with [New]; the zero value is
// not usable. It is safe for concurrent use, and must not be copied.
type Store struct {
	policy store.Policy

	mu sync.Mutex // of all below
	// Each row is in all three. A user without rows is not in users.
	users   map[tokens.UserID]*row     // the first of a chain, ordered by device id
	holders map[[sha256.Size]byte]*row // by the hash of the row's token
	expiry  expiryList
	most    int // rows at once, since the maps were made
}

var _ store.Store = (*Store)(nil)

// A row is a stored registration.
type row struct {
	tokens.Registration
	hash         [sha256.Size]byte // of Token
	next         *row              // of the same user, with the next greater device id
	older, newer *row              // neighbours in Store.expiry
}

// New returns an empty store. It panics on a policy that
// [store.Policy.WithDefaults] refuses.
func New(p store.Policy) *Store {
	p, err := p.WithDefaults()
	if err != nil {
		panic("memstore: New: " + err.Error())
	}
	s := &Store{
		policy:  p,
		users:   make(map[tokens.UserID]*row),
		holders: make(map[[sha256.Size]byte]*row),
	}
	s.expiry.init()
	return s
}

// begin is what every call does first. Without an error it locks s.mu, for the
// caller to unlock, reads the clock, and frees what has expired. The clock is
// read under the lock, so that calls which come later see no earlier time than
// the clock gave before.
func (s *Store) begin(ctx context.Context, invalid error) (now time.Time, err error) {
	if invalid != nil {
		return time.Time{}, invalid
	}
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	s.mu.Lock()
	now = s.policy.Now()
	for r := s.expiry.oldest(); r != nil && r.Expired(now); r = s.expiry.oldest() {
		s.remove(r)
	}
	return now, nil
}

// find returns the row under the key, expired or not, or nil.
func (s *Store) find(key tokens.Key) *row {
	r := s.users[key.UserID]
	for r != nil && r.Key.DeviceID != key.DeviceID {
		r = r.next
	}
	return r
}

// insert adds r, whose key and token no row may have.
func (s *Store) insert(r *row) {
	first := s.users[r.Key.UserID]
	if first == nil || r.Key.DeviceID < first.Key.DeviceID {
		r.next = first
		s.users[r.Key.UserID] = r
	} else {
		before := first
		for before.next != nil && before.next.Key.DeviceID < r.Key.DeviceID {
			before = before.next
		}
		r.next, before.next = before.next, r
	}
	s.holders[r.hash] = r
	s.expiry.push(r)
	s.most = max(s.most, len(s.holders))
}

// remove erases r and every trace of it.
func (s *Store) remove(r *row) {
	s.unlink(r)
	delete(s.holders, r.hash)
	s.shrink()
}

// unlink removes r from everything but s.holders.
func (s *Store) unlink(r *row) {
	first := s.users[r.Key.UserID]
	switch {
	case first != r:
		before := first
		for before.next != r {
			before = before.next
		}
		before.next = r.next
	case r.next != nil:
		s.users[r.Key.UserID] = r.next
	default:
		delete(s.users, r.Key.UserID)
	}
	s.expiry.unlink(r)
}

// live returns the user's rows that have not expired, by device id.
func (s *Store) live(user tokens.UserID, now time.Time) iter.Seq[*row] {
	return func(yield func(*row) bool) {
		for r := s.users[user]; r != nil; r = r.next {
			if !r.Expired(now) && !yield(r) {
				return
			}
		}
	}
}
