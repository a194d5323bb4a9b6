package memory

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A MemDB keeps registrations in a table of go-memdb, with a unique index on the
// key and one on the hash of the token. The indexers are written for this row:
// those of the library read it by reflection, which takes longer.
type MemDB struct {
	policy store.Policy
	db     *memdb.MemDB
}

// A memdbRow is never changed once it is inserted, as go-memdb requires.
type memdbRow struct {
	tokens.Registration
	hash [sha256.Size]byte
}

const (
	memdbTable = "registrations"
	byKey      = "id"
	byToken    = "token"
)

// NewMemDB returns an empty one. The policy has no zero fields.
func NewMemDB(p store.Policy) *MemDB {
	db, err := memdb.NewMemDB(&memdb.DBSchema{Tables: map[string]*memdb.TableSchema{
		memdbTable: {Name: memdbTable, Indexes: map[string]*memdb.IndexSchema{
			byKey:   {Name: byKey, Unique: true, Indexer: keyIndexer{}},
			byToken: {Name: byToken, Unique: true, Indexer: tokenIndexer{}},
		}},
	}})
	if err != nil {
		panic(err) // the schema is a constant
	}
	return &MemDB{policy: p, db: db}
}

// Register is as store.Store has it, without the limit.
func (m *MemDB) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	if err := ready(ctx, req.Validate()); err != nil {
		return store.Result{}, err
	}
	hash := req.Token.Hash()
	txn := m.db.Txn(true)
	defer txn.Abort() // does nothing after a commit
	now := m.policy.Now()
	old, err := first(txn, byKey, req.Key)
	if err != nil {
		return store.Result{}, err
	}
	previous, err := first(txn, byToken, hash)
	if err != nil {
		return store.Result{}, err
	}
	result := store.Result{Outcome: store.Refreshed}
	registeredAt := now.UTC().Truncate(time.Millisecond)
	switch {
	case old == nil:
		result.Outcome = store.Created
	case old.hash != hash:
		result.Outcome = store.Replaced
	}
	if old != nil {
		registeredAt = old.RegisteredAt
	}
	if previous != nil && previous.Key != req.Key {
		if previous.Key.UserID != req.Key.UserID {
			result.MovedFrom = previous.Key
		}
		if err := txn.Delete(memdbTable, previous); err != nil {
			return store.Result{}, err
		}
	}
	result.Registration = registration(m.policy, req, now, registeredAt)
	if err := txn.Insert(memdbTable, &memdbRow{result.Registration, hash}); err != nil {
		return store.Result{}, err
	}
	txn.Commit()
	return result, nil
}

// Get is as store.Store has it.
func (m *MemDB) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	if err := ready(ctx, key.Validate()); err != nil {
		return tokens.Registration{}, err
	}
	r, err := first(m.db.Txn(false), byKey, key)
	switch {
	case err != nil:
		return tokens.Registration{}, err
	case r == nil:
		return tokens.Registration{}, store.ErrNotFound
	}
	return r.Registration, nil
}

// List is as store.Store has it.
func (m *MemDB) List(ctx context.Context, user tokens.UserID, _ []tokens.DeviceID) ([]tokens.Registration, error) {
	if err := ready(ctx, user.Validate()); err != nil {
		return nil, err
	}
	rows, err := m.db.Txn(false).Get(memdbTable, byKey+"_prefix", user)
	if err != nil {
		return nil, err
	}
	var regs []tokens.Registration
	for r := rows.Next(); r != nil; r = rows.Next() {
		if r := r.(*memdbRow); r.Active() {
			regs = append(regs, r.Registration)
		}
	}
	return regs, nil
}

// Delete is as store.Store has it.
func (m *MemDB) Delete(ctx context.Context, key tokens.Key) error {
	if err := ready(ctx, key.Validate()); err != nil {
		return err
	}
	txn := m.db.Txn(true)
	defer txn.Abort()
	r, err := first(txn, byKey, key)
	if r == nil || err != nil {
		return err
	}
	if err := txn.Delete(memdbTable, r); err != nil {
		return err
	}
	txn.Commit()
	return nil
}

func first(txn *memdb.Txn, index string, value any) (*memdbRow, error) {
	found, err := txn.First(memdbTable, index, value)
	if found == nil || err != nil {
		return nil, err
	}
	return found.(*memdbRow), nil
}

type keyIndexer struct{}

var _ memdb.PrefixIndexer = keyIndexer{}

// keyBytes orders by user and then by device, as no id has a zero byte.
func keyBytes(k tokens.Key) []byte {
	b := make([]byte, 0, len(k.UserID)+len(k.DeviceID)+2)
	b = append(append(b, k.UserID...), 0)
	return append(append(b, k.DeviceID...), 0)
}

func (keyIndexer) FromObject(row any) (bool, []byte, error) {
	return true, keyBytes(row.(*memdbRow).Key), nil
}

func (keyIndexer) FromArgs(args ...any) ([]byte, error) {
	key, ok := args[0].(tokens.Key)
	if !ok {
		return nil, fmt.Errorf("an index of keys was asked for a %T", args[0])
	}
	return keyBytes(key), nil
}

func (keyIndexer) PrefixFromArgs(args ...any) ([]byte, error) {
	user, ok := args[0].(tokens.UserID)
	if !ok {
		return nil, fmt.Errorf("an index of keys was asked for a prefix by a %T", args[0])
	}
	return append([]byte(user), 0), nil
}

type tokenIndexer struct{}

func (tokenIndexer) FromObject(row any) (bool, []byte, error) {
	return true, row.(*memdbRow).hash[:], nil
}

func (tokenIndexer) FromArgs(args ...any) ([]byte, error) {
	hash, ok := args[0].([sha256.Size]byte)
	if !ok {
		return nil, errors.New("an index of hashes was asked for something else")
	}
	return hash[:], nil
}
