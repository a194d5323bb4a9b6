package devicetokens_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A phone changes hands. Its token then reaches bob and not alice.
func Example() {
	ctx := context.Background()

	s := memstore.MustNew(store.Policy{}) // on DynamoDB: s, err := dynamostore.New(client, "device-tokens", dynamostore.Options{})
	phone := tokens.MustParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")

	// Alice starts the app. Later, bob logs in on the same phone.
	for _, user := range []tokens.UserID{"alice", "bob"} {
		result, err := s.Register(ctx, tokens.Request{
			Key:      tokens.Key{UserID: user, DeviceID: "phone-1"},
			Token:    phone,
			Platform: tokens.IOS,
		})
		if err != nil {
			panic(err)
		}
		fmt.Println(user, result.Outcome, "moved:", result.Moved())
	}

	for _, user := range []tokens.UserID{"alice", "bob"} {
		registrations, err := s.List(ctx, user)
		if err != nil {
			panic(err)
		}
		fmt.Println(user, "is reached on", len(registrations), "devices")
	}
	// Output:
	// alice created moved: false
	// bob created moved: true
	// alice is reached on 0 devices
	// bob is reached on 1 devices
}

// A message has the fields of an Expo push message that this example uses.
type message struct {
	To    string `json:"to"`
	Title string `json:"title"`
}

// A sender lists a user's registrations and makes one message for each.
func Example_send() {
	ctx := context.Background()
	s := memstore.MustNew(store.Policy{})
	register(ctx, s, "bob", "phone-1", "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")
	send := func(m []message) { fmt.Println("sent", len(m)) }

	registrations, err := s.List(ctx, "bob")
	if err != nil {
		panic(err)
	}
	var messages []message
	for _, r := range registrations {
		messages = append(messages, message{To: r.Token.Reveal(), Title: "Your taxi is here"})
	}
	sentAt := time.Now()
	send(messages) // POST to https://exp.host/--/api/v2/push/send

	// Expo answers DeviceNotRegistered for one of them: do not send there again.
	if err := s.Invalidate(ctx, registrations[0].Key, registrations[0].Token.Hash(), sentAt); err != nil {
		panic(err)
	}
	// Output: sent 1
}

// ListUsers lists many users, at most 16 at a time.
func Example_sendToMany() {
	ctx := context.Background()
	s := memstore.MustNew(store.Policy{})
	register(ctx, s, "bob", "phone-1", "ExponentPushToken[b]")
	register(ctx, s, "carol", "phone-2", "ExponentPushToken[c]")
	users := slices.Values([]tokens.UserID{"alice", "bob", "carol"})

	reached := 0
	for listing := range store.ListUsers(ctx, s, users, 16) {
		if listing.Err != nil {
			continue // an error of this user; the others are listed
		}
		reached += len(listing.Registrations)
	}
	fmt.Println("reached", reached)
	// Output: reached 2
}

func register(ctx context.Context, s store.Store, user tokens.UserID, device tokens.DeviceID, token string) {
	_, err := s.Register(ctx, tokens.Request{
		Key:      tokens.Key{UserID: user, DeviceID: device},
		Token:    tokens.MustParseToken(token),
		Platform: tokens.Android,
	})
	if err != nil {
		panic(err)
	}
}
