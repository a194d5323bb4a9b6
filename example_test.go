package devicetokens_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/httpapi"
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

// The following is the code in docs/integrating.md.

func Example_mount() {
	s := memstore.MustNew(store.Policy{})

	authenticate := func(*http.Request) (tokens.UserID, error) { return "alice", nil } // that of your backend
	mux := http.NewServeMux()
	mux.Handle("/push/", httpapi.MustNew(s, authenticate, httpapi.Options{BasePath: "/push"}))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/push/v1/device-tokens", nil))
	fmt.Println(answer.Code, strings.TrimSpace(answer.Body.String()))
	// Output: 200 {"deviceTokens":[]}
}

// A Taxi is a service that notifies users. It depends on one method of the store.
type Taxi struct {
	tokens store.Lister
	push   func(tokens.Token, string) error
}

// Arrived notifies a user that the taxi is there.
func (t Taxi) Arrived(ctx context.Context, user tokens.UserID) error {
	registrations, err := t.tokens.List(ctx, user)
	if err != nil {
		return err // errors.Is(err, store.ErrTryAgain): retry later
	}
	for _, r := range registrations {
		if err := t.push(r.Token, "Your taxi is here"); err != nil {
			return err
		}
	}
	return nil
}

// A test of Taxi sets the clock, so it needs no waiting.
func Example_test() {
	ctx := context.Background()

	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := memstore.MustNew(store.Policy{Now: func() time.Time { return now }})
	register(ctx, s, "alice", "phone-1", "ExponentPushToken[a]")

	var pushed int
	taxi := Taxi{tokens: s, push: func(tokens.Token, string) error { pushed++; return nil }}
	_ = taxi.Arrived(ctx, "alice")
	now = now.Add(store.DefaultTTL) // alice never came back
	_ = taxi.Arrived(ctx, "alice")
	fmt.Println("pushed", pushed)
	// Output: pushed 1
}

// An oldRow is a row of your existing table.
type oldRow struct {
	User, Device, Token, OS string
	UpdatedAt               time.Time
}

// importRows registers rows, which are sorted by UpdatedAt. newStore makes a store
// whose clock shows each row's time, so that expiry counts from there.
func importRows(ctx context.Context, newStore func(store.Policy) store.Store, rows iter.Seq[oldRow]) (skipped int, err error) {
	var at time.Time
	s := newStore(store.Policy{Now: func() time.Time { return at }})
	for row := range rows {
		at = row.UpdatedAt
		token, err := tokens.ParseToken(row.Token)
		if err != nil {
			skipped++ // not an Expo token
			continue
		}
		_, err = s.Register(ctx, tokens.Request{
			Key:      tokens.Key{UserID: tokens.UserID(row.User), DeviceID: tokens.DeviceID(row.Device)},
			Token:    token,
			Platform: tokens.Platform(row.OS),
		})
		var invalid *tokens.InvalidError
		switch {
		case errors.As(err, &invalid):
			skipped++ // err names the fields
		case err != nil:
			return skipped, err
		}
	}
	return skipped, nil
}

func Example_import() {
	ctx := context.Background()
	now := time.Now()
	rows := []oldRow{
		{"alice", "phone-1", "ExponentPushToken[a]", "ios", now.Add(-200 * 24 * time.Hour)},
		{"carol", "phone-3", "not a token", "ios", now.Add(-48 * time.Hour)},
		{"bob", "phone-1", "ExponentPushToken[a]", "ios", now.Add(-24 * time.Hour)},
	}
	var imported store.Store
	skipped, err := importRows(ctx, func(p store.Policy) store.Store {
		imported = memstore.MustNew(p) // or dynamostore.New(client, table, dynamostore.Options{Policy: p})
		return imported
	}, slices.Values(rows))
	if err != nil {
		log.Fatal(err)
	}
	holder, err := imported.Holder(ctx, tokens.MustParseToken("ExponentPushToken[a]").Hash())
	fmt.Println("skipped", skipped, "holder", holder.Key.UserID, err)
	// Output: skipped 1 holder bob <nil>
}

// A notifyingStore notifies the user who lost a phone to another user.
type notifyingStore struct {
	store.Store
	notify func(lost tokens.Key)
}

// Register implements [store.Store].
func (s notifyingStore) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	result, err := s.Store.Register(ctx, req)
	if err == nil && result.Moved() {
		s.notify(result.MovedFrom)
	}
	return result, err
}

func Example_notifyTheFormerUser() {
	ctx := context.Background()
	s := notifyingStore{memstore.MustNew(store.Policy{}), func(lost tokens.Key) {
		fmt.Println("e-mail to", lost.UserID)
	}}
	register(ctx, s, "alice", "phone-1", "ExponentPushToken[a]")
	register(ctx, s, "bob", "phone-1", "ExponentPushToken[a]")
	// Output: e-mail to alice
}

// Sent is a sender's record of a message. It has no token.
type Sent struct {
	Key  tokens.Key
	Hash tokens.Hash // of the token
	At   time.Time
}

// Message is a push message for Expo.
type Message struct {
	To   string            `json:"to"`
	Data map[string]string `json:"data"`
}

// messages makes one message for each device of the users.
func messages(ctx context.Context, s store.Lister, users iter.Seq[tokens.UserID], now time.Time) (batch []Message, sent []Sent, err error) {
	for l := range store.ListUsers(ctx, s, users, 16) {
		if l.Err != nil {
			return nil, nil, l.Err // errors.Is(err, store.ErrTryAgain): retry this user later
		}
		for _, r := range l.Registrations {
			sent = append(sent, Sent{Key: r.Key, Hash: r.Token.Hash(), At: now})
			batch = append(batch, Message{To: r.Token.Reveal(), Data: map[string]string{"recipient": string(l.UserID)}})
		}
	}
	return batch, sent, nil
}

func Example_notify() {
	ctx := context.Background()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := memstore.MustNew(store.Policy{Now: func() time.Time { return now }})
	register(ctx, s, "alice", "phone", "ExponentPushToken[a]")
	register(ctx, s, "bob", "phone-1", "ExponentPushToken[b]")
	batch, sent, err := messages(ctx, s, slices.Values([]tokens.UserID{"alice", "bob"}), now.Add(time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(batch), "messages")

	for _, m := range sent { // Expo says that the phones are gone, and bob has a new token since
		if m.Key.UserID == "bob" {
			m.Hash = tokens.MustParseToken("ExponentPushToken[older]").Hash()
		}
		if err := s.Invalidate(ctx, m.Key, m.Hash, m.At); err != nil {
			log.Fatal(err)
		}
	}
	for _, user := range []tokens.UserID{"alice", "bob"} {
		left, err := s.List(ctx, user)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user, "has", len(left))
	}
	// Output:
	// 2 messages
	// alice has 0
	// bob has 1
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
