package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// exampleStore returns a store with the registrations.
func exampleStore(reqs ...tokens.Request) store.Store {
	s := memstore.MustNew(store.Policy{Now: func() time.Time {
		return time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)
	}})
	for _, req := range reqs {
		if _, err := s.Register(context.Background(), req); err != nil {
			panic(err)
		}
	}
	return s
}

func exampleRequest(user tokens.UserID, device tokens.DeviceID, token string) tokens.Request {
	return tokens.Request{
		Key:      tokens.Key{UserID: user, DeviceID: device},
		Token:    tokens.MustParseToken(token),
		Platform: tokens.Android,
	}
}

// The errors of a store, and what a caller does about each.
func Example_errors() {
	s := exampleStore()
	_, err := s.Get(context.Background(), tokens.Key{UserID: "alice", DeviceID: "phone"})

	var invalid *tokens.InvalidError
	var corrupt *store.CorruptError
	switch {
	case err == nil:
	case errors.As(err, &invalid):
		fmt.Println("answer 422 with", invalid.Fields)
	case errors.Is(err, store.ErrNotFound), errors.As(err, &corrupt):
		fmt.Println("answer 404")
	case errors.Is(err, store.ErrTryAgain):
		fmt.Println("answer 503 with Retry-After, or repeat")
	default: // store.ErrMisconfigured too
		fmt.Println("answer 500 and alert an operator")
	}
	// Output: answer 404
}

// A phone changes hands. The result has the user who was notified on it until now.
func ExampleStore_Register() {
	ctx, s := context.Background(), exampleStore()
	for _, user := range []tokens.UserID{"alice", "alice", "bob"} {
		result, err := s.Register(ctx, exampleRequest(user, "phone", "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]"))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(user, result.Outcome)
		if result.Moved() {
			fmt.Println("no longer reached there:", result.MovedFrom.UserID)
		}
	}
	// Output:
	// alice created
	// alice refreshed
	// bob created
	// no longer reached there: alice
}

// A sender lists the registrations of many users, eight at a time.
func ExampleListUsers() {
	s := exampleStore(
		exampleRequest("alice", "phone", "ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]"),
		exampleRequest("alice", "tablet", "ExponentPushToken[bbbbbbbbbbbbbbbbbbbbbb]"),
		exampleRequest("bob", "phone", "ExponentPushToken[cccccccccccccccccccccc]"),
	)
	audience := []tokens.UserID{"alice", "bob", "carol"}
	for l := range store.ListUsers(context.Background(), s, slices.Values(audience), 8) {
		if l.Err != nil {
			fmt.Println(l.UserID, l.Err)
			continue
		}
		fmt.Println(l.UserID, len(l.Registrations))
	}
	// Unordered output:
	// alice 2
	// bob 1
	// carol 0
}

// Expo reported DeviceNotRegistered for a message that was sent at sentAt.
func ExampleInvalidateToken() {
	ctx, req := context.Background(), exampleRequest("alice", "phone", "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")
	s := exampleStore(req)
	sentAt := time.Date(2026, time.November, 23, 13, 0, 0, 0, time.UTC)
	if err := store.InvalidateToken(ctx, s, req.Token, sentAt); err != nil {
		fmt.Println(err)
		return
	}
	reg, err := s.Get(ctx, req.Key)
	fmt.Println(reg.Status, err)
	// Output: device_not_registered <nil>
}
