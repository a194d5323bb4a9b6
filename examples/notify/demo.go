package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	demoUsers = 1000
	demoDelay = 2 * time.Second // until the receipts are fetched
)

// startDemo fills an in-memory store and starts a fake Expo. The fake Expo reports one
// phone in a hundred as gone in its ticket, and another one in its receipt.
func (c *settings) startDemo(ctx context.Context) (end func(), err error) {
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		return nil, err
	}
	// A day old, so that the store does not take a registration for newer than the message.
	registered := time.Now().Add(-24 * time.Hour)
	registry := memstore.MustNew(store.Policy{Now: func() time.Time { return registered }})
	expo := fakeexpo.New(fakeexpo.Options{ReceiptDelay: demoDelay / 2})
	var list strings.Builder
	for i := range demoUsers {
		user, token := fmt.Sprintf("user-%04d", i), fmt.Sprintf("ExponentPushToken[demo-%04d]", i)
		phone := fakeexpo.Phone{Project: "@demo/app", User: user}
		switch i % 100 {
		case 7:
			phone.Ticket = fakeexpo.Gone
		case 13:
			phone.Receipt = fakeexpo.Gone
		}
		expo.Set(token, phone)
		_, err := registry.Register(ctx, tokens.Request{
			Key:      tokens.Key{UserID: tokens.UserID(user), DeviceID: "phone"},
			Token:    tokens.MustParseToken(token),
			Platform: tokens.Android,
		})
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(&list, user)
	}
	c.registry = registry
	c.users, c.outbox = filepath.Join(dir, "users"), filepath.Join(dir, "outbox")
	c.sender.ReceiptDelay = demoDelay
	if err := os.WriteFile(c.users, []byte(list.String()), 0o600); err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: expo, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	c.expoURL = "http://" + listener.Addr().String() + fakeexpo.Path
	return func() {
		_ = server.Close()
		_ = os.RemoveAll(dir)
	}, nil
}
