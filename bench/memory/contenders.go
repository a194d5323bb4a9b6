package memory

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A Store is what is measured of a store.Store, and Delete to put things back.
type Store interface {
	Register(context.Context, tokens.Request) (store.Result, error)
	Get(context.Context, tokens.Key) (tokens.Registration, error)
	// List is also told which devices the user may have, by id and in order,
	// for the [Floor], which cannot find out.
	List(context.Context, tokens.UserID, []tokens.DeviceID) ([]tokens.Registration, error)
	Delete(context.Context, tokens.Key) error
}

// The names of the contenders.
const (
	TwoMaps  = "two maps"
	MemStore = "memstore"
	GoMemDB  = "go-memdb"
)

// A Contender is a kind of store.
type Contender struct {
	Name string
	New  func(store.Policy) Store
}

// Contenders returns all of them, the floor first.
func Contenders() []Contender {
	withDefaults := func(p store.Policy) store.Policy {
		p, err := p.WithDefaults()
		if err != nil {
			panic(err) // the policies are constants
		}
		return p
	}
	return []Contender{
		{TwoMaps, func(p store.Policy) Store { return NewFloor(withDefaults(p)) }},
		{MemStore, func(p store.Policy) Store { return ours{memstore.New(p)} }},
		{GoMemDB, func(p store.Policy) Store { return NewMemDB(withDefaults(p)) }},
	}
}

type ours struct{ *memstore.Store }

func (o ours) List(ctx context.Context, user tokens.UserID, _ []tokens.DeviceID) ([]tokens.Registration, error) {
	return o.Store.List(ctx, user)
}

// ready is what the others do first, as memstore does.
func ready(ctx context.Context, invalid error) error {
	if invalid != nil {
		return invalid
	}
	return ctx.Err()
}

// registration is what a Register at now leaves under the key.
func registration(p store.Policy, req tokens.Request, now, registeredAt time.Time) tokens.Registration {
	return tokens.Registration{
		Key: req.Key, Token: req.Token, Platform: req.Platform, ProjectID: req.ProjectID, Status: tokens.Active,
		RegisteredAt: registeredAt, UpdatedAt: now.UTC().Truncate(time.Millisecond), ExpiresAt: p.Expiry(now),
	}
}
