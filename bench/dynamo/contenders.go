// Package dynamo compares dynamostore with the AWS SDK and with the naive
// implementation.
//
// A refresh and a list of twenty devices run with canned responses at the HTTP transport
// of the SDK's client, so that they measure the overhead of dynamostore over the SDK. The
// alternatives are calls of the SDK written by hand, which send the same requests and
// return the same registrations, and github.com/guregu/dynamo/v2. TestAllocations limits
// dynamostore to 1.05 times the allocations of the calls by hand, and to fewer than
// guregu's.
//
// [Journeys] run on DynamoDB Local with dynamostore and with the naive implementation.
// TestCosts checks their round trips and capacity units.
package dynamo

import (
	"context"
	"fmt"
	"time"

	"github.com/guregu/dynamo/v2"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A Contender is one implementation of both calls.
type Contender struct {
	Name    string
	Refresh func(context.Context) (tokens.Registration, error)
	List    func(context.Context) ([]tokens.Registration, error)
}

// The names of the contenders.
const (
	Ours   = "dynamostore"
	Raw    = "sdk"
	Guregu = "guregu"
)

// Contenders returns all contenders, the calls by hand first, each with its own client. sent, if not nil,
// is called with each request.
func Contenders(sent func(operation string, body []byte)) []Contender {
	newTransport := func() *transport { return &transport{answers: answers(), sent: sent} }

	s, err := dynamostore.New(newTransport().client(), table, dynamostore.Options{
		Policy: store.Policy{TTL: ttl, Now: func() time.Time { return now }},
	})
	if err != nil {
		panic(err) // the arguments are constants
	}
	r := raw{client: newTransport().client()}
	g := guregu{table: dynamo.NewFromIface(newTransport().client()).Table(table)}
	return []Contender{
		{Name: Raw, Refresh: r.refresh, List: r.list},
		{
			Name: Ours,
			Refresh: func(ctx context.Context) (tokens.Registration, error) {
				result, err := s.Register(ctx, request)
				return result.Registration, err
			},
			List: func(ctx context.Context) ([]tokens.Registration, error) { return s.List(ctx, user) },
		},
		{Name: Guregu, Refresh: g.refresh, List: g.list},
	}
}

// An Operation is a measured call.
type Operation struct {
	Name string
	Call func(Contender, context.Context) error
}

// Operations returns the measured operations.
func Operations() []Operation {
	return []Operation{
		{"refresh", func(c Contender, ctx context.Context) error { _, err := c.Refresh(ctx); return err }},
		{"list-20", func(c Contender, ctx context.Context) error { _, err := c.List(ctx); return err }},
	}
}

// A Store has the measured methods of a store.Store.
type Store interface {
	Register(context.Context, tokens.Request) (store.Result, error)
	List(context.Context, tokens.UserID) ([]tokens.Registration, error)
}

// A Journey is a call that is measured end to end on a table.
type Journey struct {
	Name    string
	Prepare func(context.Context, Store) error
	Call    func(ctx context.Context, s Store, n int) error // the n-th
}

// Journeys returns all journeys.
func Journeys() []Journey {
	return []Journey{
		{"refresh", registerAll(1), func(ctx context.Context, s Store, _ int) error {
			return register(ctx, s, user, 0, 0, store.Refreshed)
		}},
		{"new-device", nothing, func(ctx context.Context, s Store, n int) error {
			return register(ctx, s, tokens.UserID(fmt.Sprintf("new-%032d", n)), 0, devices+n, store.Created)
		}},
		{"move", registerAll(1), func(ctx context.Context, s Store, n int) error {
			// To a user who never had it, whose row is new.
			return register(ctx, s, tokens.UserID(fmt.Sprintf("mover-%030d", n)), 0, 0, store.Created)
		}},
		{fmt.Sprintf("list-%d", devices), registerAll(devices), func(ctx context.Context, s Store, _ int) error {
			regs, err := s.List(ctx, user)
			if err == nil && len(regs) != devices {
				err = fmt.Errorf("%d registrations are listed, want %d", len(regs), devices)
			}
			return err
		}},
	}
}

func nothing(context.Context, Store) error { return nil }

func registerAll(n int) func(context.Context, Store) error {
	return func(ctx context.Context, s Store) error {
		for i := range n {
			if err := register(ctx, s, user, i, i, store.Created); err != nil {
				return err
			}
		}
		return nil
	}
}

func register(ctx context.Context, s Store, user tokens.UserID, dev, tok int, want store.Outcome) error {
	result, err := s.Register(ctx, tokens.Request{
		Key:       tokens.Key{UserID: user, DeviceID: device(dev)},
		Token:     tokens.MustParseToken(token(tok)),
		Platform:  request.Platform,
		ProjectID: request.ProjectID,
	})
	if err == nil && result.Outcome != want {
		err = fmt.Errorf("the outcome is %q, want %q", result.Outcome, want)
	}
	return err
}

// expiry is that of the policy of all contenders.
func expiry(now time.Time) time.Time { return store.Policy{TTL: ttl}.Expiry(now) }
