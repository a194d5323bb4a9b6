package memstore

import (
	"cmp"
	"crypto/sha256"
	"slices"
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
	users   map[tokens.UserID][]*row   // ordered by device id
	holders map[[sha256.Size]byte]*row // by the hash of the row's token
	expiry  expiryList
}

var _ store.Store = (*Store)(nil)

// A row is a stored registration.
type row struct {
	tokens.Registration
	hash         [sha256.Size]byte // of Token
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
		users:   make(map[tokens.UserID][]*row),
		holders: make(map[[sha256.Size]byte]*row),
	}
	s.expiry.init()
	return s
}

// lock begins a call: it locks s.mu, reads the clock, and frees what has
// expired. The clock is read under the lock, so that calls which come later see
// no earlier time than the clock gave before.
func (s *Store) lock() (now time.Time) {
	s.mu.Lock()
	now = s.policy.Now()
	for r := s.expiry.oldest(); r != nil && r.Expired(now); r = s.expiry.oldest() {
		s.remove(r)
	}
	return now
}

// find returns the row under the key, expired or not, or nil.
func (s *Store) find(key tokens.Key) *row {
	rows := s.users[key.UserID]
	if i, ok := search(rows, key.DeviceID); ok {
		return rows[i]
	}
	return nil
}

// insert adds r, whose key and token no row may have.
func (s *Store) insert(r *row) {
	rows := s.users[r.Key.UserID]
	i, _ := search(rows, r.Key.DeviceID)
	s.users[r.Key.UserID] = slices.Insert(rows, i, r)
	s.holders[r.hash] = r
	s.expiry.push(r)
}

// remove erases r and every trace of it.
func (s *Store) remove(r *row) {
	rows := s.users[r.Key.UserID]
	if len(rows) == 1 {
		delete(s.users, r.Key.UserID)
	} else {
		i, _ := search(rows, r.Key.DeviceID)
		s.users[r.Key.UserID] = slices.Delete(rows, i, i+1)
	}
	delete(s.holders, r.hash)
	s.expiry.unlink(r)
}

func search(rows []*row, device tokens.DeviceID) (int, bool) {
	return slices.BinarySearchFunc(rows, device, func(r *row, d tokens.DeviceID) int {
		return cmp.Compare(r.Key.DeviceID, d)
	})
}
