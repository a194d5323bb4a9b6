package memstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A phone changes hands: the last user who registers its token is its only holder.
func Example() {
	ctx := context.Background()
	s := memstore.MustNew(store.Policy{})
	token := tokens.MustParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")

	for _, user := range []tokens.UserID{"alice", "bob"} {
		result, err := s.Register(ctx, tokens.Request{
			Key:      tokens.Key{UserID: user, DeviceID: "phone"},
			Token:    token,
			Platform: tokens.IOS,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s, moved: %t\n", user, result.Outcome, result.Moved())
	}
	for _, user := range []tokens.UserID{"alice", "bob"} {
		regs, err := s.List(ctx, user)
		fmt.Println(user, len(regs), err)
	}
	// Output:
	// alice: created, moved: false
	// bob: created, moved: true
	// alice 0 <nil>
	// bob 1 <nil>
}

// A test sets the clock of its store, and waits for nothing.
func ExampleMustNew() {
	ctx := context.Background()
	now := time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)
	s := memstore.MustNew(store.Policy{Now: func() time.Time { return now }})

	key := tokens.Key{UserID: "alice", DeviceID: "phone"}
	result, err := s.Register(ctx, tokens.Request{
		Key:      key,
		Token:    tokens.MustParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]"),
		Platform: tokens.IOS,
	})
	fmt.Println(result.Registration.ExpiresAt.Format(time.RFC3339), err)

	now = result.Registration.ExpiresAt
	_, err = s.Get(ctx, key)
	fmt.Println(err)
	// Output:
	// 2027-02-21T12:00:00Z <nil>
	// store: registration not found
}
