package memstore

import (
	"context"
	"crypto/sha256"
	"hash/maphash"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A Store is a [store.Store] in memory. Make one with [New]; the zero value is
// not usable. It is safe for concurrent use, and must not be copied.
type Store struct {
	policy store.Policy
	seed   maphash.Seed // of device.sum

	mu sync.Mutex // of all below
	// Each row is in all three. A user without rows is not in users.
	users   map[tokens.UserID][]device // ordered by device id
	holders map[[sha256.Size]byte]*row // by the hash of the row's token
	expiry  expiryList
	most    int // rows at once, since the maps were made
}

var _ store.Store = (*Store)(nil)

// A row is a stored registration.
type row struct {
	tokens.Registration
	hash         [sha256.Size]byte // of Token
	older, newer *row              // neighbours in Store.expiry
}

// A device is a row among those of its user. The sum of its id says of most
// others that they are not the one which is looked for, without a look at them:
// each would have to come from another place in memory.
type device struct {
	sum uint64
	row *row
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
		seed:    maphash.MakeSeed(),
		users:   make(map[tokens.UserID][]device),
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
	sum := s.sum(key.DeviceID)
	for _, d := range s.users[key.UserID] {
		if d.sum == sum && d.row.Key.DeviceID == key.DeviceID {
			return d.row
		}
	}
	return nil
}

func (s *Store) sum(id tokens.DeviceID) uint64 { return maphash.String(s.seed, string(id)) }

// insert adds r, whose key and token no row may have.
func (s *Store) insert(r *row) {
	devices := s.users[r.Key.UserID]
	i, _ := slices.BinarySearchFunc(devices, r.Key.DeviceID, func(d device, id tokens.DeviceID) int {
		return strings.Compare(string(d.row.Key.DeviceID), string(id))
	})
	s.users[r.Key.UserID] = slices.Insert(devices, i, device{s.sum(r.Key.DeviceID), r})
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
	devices := s.users[r.Key.UserID]
	if len(devices) == 1 {
		delete(s.users, r.Key.UserID)
	} else {
		i := slices.IndexFunc(devices, func(d device) bool { return d.row == r })
		s.users[r.Key.UserID] = slices.Delete(devices, i, i+1)
	}
	s.expiry.unlink(r)
}

// live returns the user's rows that have not expired, by device id.
func (s *Store) live(user tokens.UserID, now time.Time) iter.Seq[*row] {
	return func(yield func(*row) bool) {
		for _, d := range s.users[user] {
			if !d.row.Expired(now) && !yield(d.row) {
				return
			}
		}
	}
}
