package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
)

// FuzzJSON checks that JSON shows no hidden character and decodes to the same.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{"", "a\u202e\u200b\x7f\u009b\u2028", "\U000e0061\ufffd", "\\\"\n\t<&>\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "\ufffd")
		text, err := marshal(view{UserID: s})
		if err != nil {
			t.Fatal(err)
		}
		var v view
		if err := json.Unmarshal(text, &v); err != nil || v.UserID != s {
			t.Errorf("%q became %q, %v", s, v.UserID, err)
		}
		if strings.ContainsFunc(string(text), visible.Hidden) || !utf8.Valid(text) {
			t.Errorf("it shows %q", text)
		}
	})
}

// FuzzParseLine checks that a line that is read is written unchanged.
func FuzzParseLine(f *testing.F) {
	f.Add(`{"userId":"a","deviceId":"b","expoPushToken":"ExpoPushToken[c]","platform":"ios","status":"active","updatedAt":"2026-01-02T03:04:05.678Z"}`)
	f.Add(`{"userId":"a\u202e","deviceId":"b","expoPushToken":"ExpoPushToken[c]","platform":"ios","status":"logout","expiresAt":"9999-12-31T23:59:59+14:00"}`)
	f.Add(`{} {}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseLine([]byte(text))
		if err != nil {
			return
		}
		again, err := appendLine(nil, lineOf(store.Record{Key: r.Key, Registration: r}, true))
		if err != nil {
			t.Fatal(err)
		}
		reread, err := parseLine(again)
		if diff := cmp.Diff(r, reread); diff != "" || err != nil {
			t.Errorf("%s became %s, %v:\n%s", text, again, err, diff)
		}
	})
}
