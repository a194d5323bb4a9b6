package main

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestStores runs the program on real stores, with the environment and the command line
// that the README describes.
func TestStores(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { notifyFrom(t, filepath.Join(t.TempDir(), "tokens.db")) })
	t.Run("dynamodb", func(t *testing.T) {
		client := dynamotest.Client(t, nil)
		setAWS(t, client.Options().Region, "local")
		t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamotest.Endpoint(t))
		notifyFrom(t, "dynamodb:"+dynamotest.Table(t, client))
	})
}

func notifyFrom(t *testing.T, name string) {
	t.Setenv("EXPO_ACCESS_TOKEN", "secret")
	dayAgo := time.Now().Add(-24 * time.Hour)
	db, err := database.Open(t.Context(), name, database.Options{Create: true, Policy: store.Policy{Now: func() time.Time { return dayAgo }}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	s := db.Store
	expo := fakeexpo.New(fakeexpo.Options{AccessToken: "secret"})
	for user, phone := range map[tokens.UserID]fakeexpo.Phone{
		"alice": {}, "bob": {Ticket: fakeexpo.Gone}, "carol": {Receipt: fakeexpo.Gone},
		"dave": {Refused: fakeexpo.Refusal{Status: 403, Code: "UNAUTHORIZED"}},
	} {
		token := "ExponentPushToken[" + string(user) + "]"
		phone.Project, phone.User = "@acme/app", string(user)
		expo.Set(token, phone)
		if _, err := s.Register(t.Context(), tokens.Request{
			Key: tokens.Key{UserID: user, DeviceID: "phone"}, Token: tokens.MustParseToken(token), Platform: tokens.IOS,
		}); err != nil {
			t.Fatal(err)
		}
	}
	users := filepath.Join(t.TempDir(), "users.txt")
	if err := os.WriteFile(users, []byte("\ufeffalice\r\nbob\n\ncarol\nnobody\ndave"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(expo)
	defer server.Close()

	args := []string{
		"-db", name, "-users", users, "-title", "Hello", "-data", `{"screen":"home"}`, "-outbox", filepath.Join(t.TempDir(), "outbox"),
		"-expo", server.URL + fakeexpo.Path, "-receipt-delay", "1ms",
	}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	if code := program(interrupted, args, t.Output(), t.Output()); code != 1 {
		t.Errorf("exit code of an interrupted program is %d", code)
	}
	code, stdout, stderr := run(t, args...)
	if code != 1 || !strings.Contains(stderr, "messages failed permanently") || strings.Contains(stderr, "done already") {
		t.Fatalf("exit code is %d:\n%s", code, stderr)
	}
	for _, line := range []string{" 5 users", " 1 of these have no device", " 4 messages", " 1 failed with UNAUTHORIZED", " 2 accepted by Expo", " 1 accepted by Apple", " 2 of these invalidated"} {
		if !strings.Contains(stdout, line) {
			t.Errorf("it does not say %q:\n%s", line, stdout)
		}
	}
	for user, want := range map[tokens.UserID]tokens.Status{
		"alice": tokens.Active, "bob": tokens.DeviceNotRegistered, "carol": tokens.DeviceNotRegistered,
	} {
		got, err := s.Get(t.Context(), tokens.Key{UserID: user, DeviceID: "phone"})
		if err != nil || got.Status != want {
			t.Errorf("%s is %q, %v; want %q", user, got.Status, err, want)
		}
	}
	refuses(t, 1, "done already", args...)
	refuses(t, 2, "belongs to another job", append(args, "-body", "another")...)
	if stats := expo.Stats(); stats.Misrouted != 0 || expo.Received("ExponentPushToken[alice]") != 1 {
		t.Errorf("%+v", stats)
	}
}
