package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// TestStores runs the program on real stores, with the environment and the command line
// that the README describes.
func TestStores(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { notifyFrom(t, "") })
	t.Run("dynamodb", func(t *testing.T) {
		client := dynamotest.Client(t, nil)
		setAWS(t, client.Options().Region, "local")
		t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamotest.Endpoint(t))
		notifyFrom(t, "dynamodb:"+dynamotest.Table(t, client))
	})
}

func notifyFrom(t *testing.T, name string) {
	t.Setenv("EXPO_ACCESS_TOKEN", "secret")
	c := newCampaign(t, 102, name, fakeexpo.Options{AccessToken: "secret"})
	c.refused = 50
	c.expo.Set(tokenOf(c.refused), fakeexpo.Phone{Project: "@acme/app", Refused: fakeexpo.Refusal{Status: 403, Code: "UNAUTHORIZED"}})
	list, err := os.ReadFile(c.users)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.users, []byte("\ufeffnobody\r\n\n"+string(list)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := c.args("-data", `{"screen":"home"}`, "-receipt-delay", "1ms")
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	if code := program(interrupted, args, t.Output(), t.Output()); code != 1 {
		t.Errorf("exit code of an interrupted program is %d", code)
	}
	code, stdout, stderr := run(t, args...)
	if code != 1 || !strings.Contains(stderr, "messages failed permanently") || strings.Contains(stderr, "done already") {
		t.Fatalf("exit code is %d:\n%s", code, stderr)
	}
	for _, line := range []string{
		" 103 users", " 1 of these have no device", " 102 messages", " 1 failed with UNAUTHORIZED", " 99 accepted by Expo",
		" 97 accepted by Apple", " 4 of these invalidated",
	} {
		if !strings.Contains(stdout, line) {
			t.Errorf("it does not say %q:\n%s", line, stdout)
		}
	}
	if invalidated, again := c.check(nil); invalidated != 2 || again != 0 {
		t.Errorf("%d registrations are invalidated, want 2; %d messages were sent again", invalidated, again)
	}
	refuses(t, 1, "done already", args...)
	refuses(t, 2, "belongs to another job", append(args, "-body", "another")...)
}
