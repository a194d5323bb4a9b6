package dynamostore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestGreatestRegistrationIsOneUnit registers the longest that ASCII allows, and
// marks it with the longest reason: each item that is stored takes one write unit,
// so that a refresh does.
func TestGreatestRegistrationIsOneUnit(t *testing.T) {
	w := newWorld(t, store.Policy{})
	key := tokens.Key{
		UserID:   tokens.UserID(strings.Repeat("u", 255)),
		DeviceID: tokens.DeviceID(strings.Repeat("d", 128)),
	}
	token := tokens.MustParseToken("ExponentPushToken[" + strings.Repeat("x", tokens.MaxTokenBytes-len("ExponentPushToken[]")) + "]")
	req := tokens.Request{Key: key, Token: token, Platform: tokens.Android, ProjectID: tokens.ProjectID(strings.Repeat("p", 64))}
	if _, err := w.clean.Register(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	w.do(w.clean.Invalidate(t.Context(), key, token, w.now.Add(store.ClockSkew)))
	w.look()
	w.hasStatus(key, tokens.DeviceNotRegistered)
	equal(t, "items", 2, len(w.items))
	for _, i := range w.items {
		size := dynamotest.ItemSize(i)
		t.Logf("%.9s: %d bytes", text(i, "userId"), size)
		if size > 1024 {
			t.Errorf("an item of %d bytes takes more than one write unit", size)
		}
	}
}

// TestQueryUnits compares the units that DynamoDB Local reports for a List, from
// which the costs are counted, with the size of what is stored.
func TestQueryUnits(t *testing.T) {
	w := newWorld(t, store.Policy{MaxDevices: 100})
	for n := range 60 {
		w.register(
			tokens.Key{UserID: "alice", DeviceID: tokens.DeviceID(fmt.Sprintf("device-%02d", n))},
			tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[%022d]", n)))
	}
	w.look()
	var bytes int
	for _, i := range w.items {
		if text(i, "userId") == "alice" {
			bytes += dynamotest.ItemSize(i)
		}
	}
	var recorder dynamotest.Recorder
	if _, err := w.through(&recorder, nil).List(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	equal(t, "calls", []string{fmt.Sprintf("Query %d R", (bytes+4095)/4096)}, []string{recorder.Calls()[0].String()})
	t.Logf("%d registrations, %d bytes: %v", 60, bytes, recorder.Calls()[0])
}
