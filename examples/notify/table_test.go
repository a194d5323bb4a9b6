package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// With a real table, as its README says: the environment and the command line.
func TestTable(t *testing.T) {
	client := dynamotest.Client(t, nil)
	table := dynamotest.Table(t, client)
	dayAgo := time.Now().Add(-24 * time.Hour)
	s := dynamotest.Store(t, client, table, dynamostore.Options{Policy: store.Policy{Now: func() time.Time { return dayAgo }}})
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

	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": dynamotest.Endpoint(t), "AWS_REGION": client.Options().Region,
		"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "EXPO_ACCESS_TOKEN": "secret",
	} {
		t.Setenv(name, value)
	}
	code, stdout, stderr := run(t, "-db", "dynamodb:"+table, "-users", users, "-title", "Hello", "-data", `{"screen":"home"}`,
		"-outbox", filepath.Join(t.TempDir(), "outbox"), "-expo", server.URL+fakeexpo.Path, "-receipt-delay", "1ms")
	if code != 1 || !strings.Contains(stderr, "messages failed for good") {
		t.Fatalf("exit code is %d:\n%s", code, stderr)
	}
	for _, line := range []string{" 5 users", " 1 of these without a device", " 4 messages", " 1 failed with UNAUTHORIZED", " 2 accepted", " 1 taken", " 2 of these: the store was told"} {
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
	if stats := expo.Stats(); stats.Misrouted != 0 || expo.Received("ExponentPushToken[alice]") != 1 {
		t.Errorf("%+v", stats)
	}
}
