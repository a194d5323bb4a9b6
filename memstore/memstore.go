package memstore

import (
	"container/list"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A Store is a [store.Store] in memory. Create it with [New]; the zero value is
// not usable. It is safe for concurrent use and must not be copied.
type Store struct {
	policy store.Policy

	mu sync.Mutex // guards the fields below
	// Each row is in users, holders and expiry. A user without rows is not in users.
	users   map[tokens.UserID][]*row // ordered by device id
	holders map[tokens.Hash]*row     // by the hash of the row's token
	// expiry has the rows in the order of their last registration. They have the
	// same TTL, so this is the order of expiry unless the clock was set back. Then
	// a row may be behind one that expires later.
	expiry *list.List
}

var _ store.Store = (*Store)(nil)

type row struct {
	tokens.Registration
	hash   tokens.Hash   // of Token
	expiry *list.Element // in Store.expiry
}

// New returns an empty store, or the error of [store.Policy.WithDefaults].
func New(p store.Policy) (*Store, error) {
	p, err := p.WithDefaults()
	if err != nil {
		return nil, err
	}
	return &Store{
		policy:  p,
		users:   make(map[tokens.UserID][]*row),
		holders: make(map[tokens.Hash]*row),
		expiry:  list.New(),
	}, nil
}

// MustNew is [New] for tests and for constant policies. It panics if New returns an
// error.
func MustNew(p store.Policy) *Store {
	s, err := New(p)
	if err != nil {
		panic(err.Error())
	}
	return s
}

// now reads the clock and removes expired rows. The caller holds s.mu, so calls
// read the clock in the order in which they take effect.
func (s *Store) now() time.Time {
	now := s.policy.Now()
	for e := s.expiry.Front(); e != nil && e.Value.(*row).Expired(now); e = s.expiry.Front() {
		s.remove(e.Value.(*row))
	}
	return now
}

func search(devices []*row, id tokens.DeviceID) (i int, found bool) {
	return slices.BinarySearchFunc(devices, id, func(r *row, id tokens.DeviceID) int {
		return strings.Compare(string(r.Key.DeviceID), string(id))
	})
}

func (s *Store) find(key tokens.Key) *row {
	devices := s.users[key.UserID]
	if i, found := search(devices, key.DeviceID); found {
		return devices[i]
	}
	return nil
}

// insert adds r. No row may have its key or token.
func (s *Store) insert(r *row) {
	devices := s.users[r.Key.UserID]
	i, _ := search(devices, r.Key.DeviceID)
	s.users[r.Key.UserID] = slices.Insert(devices, i, r)
	s.holders[r.hash] = r
	r.expiry = s.expiry.PushBack(r)
}

func (s *Store) remove(r *row) {
	devices := s.users[r.Key.UserID]
	if len(devices) == 1 {
		delete(s.users, r.Key.UserID)
	} else {
		i, _ := search(devices, r.Key.DeviceID)
		s.users[r.Key.UserID] = slices.Delete(devices, i, i+1)
	}
	delete(s.holders, r.hash)
	s.expiry.Remove(r.expiry)
}

// live returns a new slice of the user's rows that have not expired, by device id.
func (s *Store) live(user tokens.UserID, now time.Time) []*row {
	return slices.DeleteFunc(slices.Clone(s.users[user]), func(r *row) bool { return r.Expired(now) })
}
