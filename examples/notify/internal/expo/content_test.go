package expo

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Documented fields are sent unchanged; anything else is refused, by its name.
func TestParseMessage(t *testing.T) {
	all := `{"title":"T","subtitle":"S","body":"B","sound":"bells.wav","priority":"high","ttl":0,"badge":0,"interruptionLevel":"time-sensitive",
		"channelId":"taxi","categoryId":"taxi","mutableContent":false,"richContent":{"image":"https://example.com/a.png"},"data":{"id":12345678901234567890}}`
	for _, tc := range []struct{ message, says string }{
		{all, ""},
		{"\ufeff" + all, ""},
		{`{"body":"B","sound":"default","ttl":2419200,"mutableContent":true}`, ""},
		{`{"body":"B","sound":null}`, ""},
		{`{}`, ""},

		{``, "not a single JSON object"},
		{`null`, "not a single JSON object"},
		{`{} {}`, "not a single JSON object"},
		{`{"title":"T",}`, "not a single JSON object"},
		{`{"to":"ExponentPushToken[a]"}`, "to: "},
		{`{"Title":"T"}`, `unknown field "Title"`},
		{`{"title":7}`, "title: must be a string"},
		{`{"title":null}`, "title: must be a string"},
		{`{"title":""}`, "title: is empty"},
		{`{"sound":"bells"}`, "sound: use"},
		{`{"priority":"max"}`, "priority: use default, normal or high"},
		{`{"ttl":-1}`, "ttl: use 0 to 2419200"},
		{`{"ttl":2419201}`, "ttl: use 0 to 2419200"},
		{`{"ttl":1.5}`, "ttl: must be a whole number"},
		{`{"ttl":99999999999999999999}`, "ttl: must be a whole number"},
		{`{"badge":-1}`, "badge: use a number"},
		{`{"badge":2147483648}`, "badge: use a number"},
		{`{"interruptionLevel":"timeSensitive"}`, "interruptionLevel: use active"},
		{`{"categoryId":"a-b"}`, "categoryId: remove"},
		{`{"categoryId":"a:b"}`, "categoryId: remove"},
		{`{"mutableContent":1}`, "mutableContent: must be true or false"},
		{`{"richContent":{}}`, "richContent.image: use an http"},
		{`{"richContent":{"image":"a.png"}}`, "richContent.image: use an http"},
		{`{"richContent":{"image":"https://example.com/a.png","video":"x"}}`, "richContent: must be an object"},
		{`{"data":[]}`, "data: must be an object"},
		{`{"data":null}`, "data: must be an object"},
	} {
		content, data, err := ParseMessage([]byte(tc.message))
		if tc.says != "" {
			if err == nil || !strings.HasPrefix(err.Error(), tc.says) {
				t.Errorf("%s: got %v, want %s", tc.message, err, tc.says)
			}
			continue
		}
		var want, got map[string]any
		sent, sentErr := json.Marshal(wireMessage{To: "t", Content: content, Data: data})
		if err != nil || sentErr != nil || strict(sent, &got) != nil || strict([]byte(strings.TrimPrefix(tc.message, "\ufeff")), &want) != nil {
			t.Fatalf("%s: %v, %s", tc.message, err, sent)
		}
		if want["to"] = "t"; want["sound"] == nil {
			delete(want, "sound") // is the same as none
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.message, diff)
		}
	}
}

// The length of a payload is that of the unescaped text.
func TestPayloadBytes(t *testing.T) {
	n, err := Message{Content: Content{Title: "<&>"}, Data: map[string]any{"a": "é"}}.PayloadBytes()
	if want := len(`{"to":"","title":"<&>","data":{"a":"é"}}`); n != want || err != nil {
		t.Errorf("%d bytes, want %d; %v", n, want, err)
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(`{"title":"T","ttl":60,"richContent":{"image":"https://example.com/a.png"}}`)
	f.Add(`{"sound":null,"data":{"a":[1]}}`)
	f.Fuzz(func(t *testing.T, message string) {
		content, data, err := ParseMessage([]byte(message))
		if err != nil {
			return
		}
		sent, err := json.Marshal(wireMessage{Content: content, Data: data})
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range []string{`"to":"",`, `"to":""`} { // it is not a field of a message
			sent = bytes.Replace(sent, []byte(to), nil, 1)
		}
		again, _, err := ParseMessage(sent)
		if diff := cmp.Diff(content, again); diff != "" || err != nil {
			t.Errorf("%v (-first +again):\n%s", err, diff)
		}
	})
}
