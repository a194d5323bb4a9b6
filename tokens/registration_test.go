package tokens_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

func TestActive(t *testing.T) {
	for status, want := range map[tokens.Status]bool{
		tokens.Active: true, tokens.LoggedOut: false, tokens.DeviceNotRegistered: false, tokens.Inactive: false,
		"": false, "Active": false, "unheard of": false,
	} {
		if got := (tokens.Registration{Status: status}).Active(); got != want {
			t.Errorf("%q: got %t, want %t", status, got, want)
		}
	}
}

func TestExpired(t *testing.T) {
	at := time.Date(2026, time.February, 28, 23, 59, 59, 0, time.UTC)
	for _, tt := range []struct {
		name           string
		expiresAt, now time.Time
		want           bool
	}{
		{"the instant before", at, at.Add(-time.Nanosecond), false},
		{"the very instant", at, at, true},
		{"the instant after", at, at.Add(time.Nanosecond), true},
		{"another zone, the instant before", at, at.Add(-time.Nanosecond).In(time.FixedZone("", 14*3600)), false},
		{"another zone, the very instant", at, at.In(time.FixedZone("", -12*3600)), true},
		{"a row of an older service", time.Time{}, at, false},
		{"a row of an older service, at the end of time", time.Time{}, time.Unix(1<<40, 0), false},
	} {
		if got := (tokens.Registration{ExpiresAt: tt.expiresAt}).Expired(tt.now); got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.name, got, tt.want)
		}
	}
}

func validRequest() tokens.Request {
	return tokens.Request{
		Key:      tokens.Key{UserID: "user-1", DeviceID: "device-1"},
		Token:    tokens.MustParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]"),
		Platform: tokens.IOS,
	}
}

// fieldsOf returns the bad fields that err names; nil if err is nil.
func fieldsOf(t *testing.T, err error) []tokens.FieldError {
	t.Helper()
	if err == nil {
		return nil
	}
	var invalid *tokens.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %T, want an *InvalidError", err)
	}
	if len(invalid.Fields) == 0 {
		t.Fatal("an InvalidError without fields")
	}
	return invalid.Fields
}

// fault is one way to break one field of a request.
type fault struct {
	field string
	code  tokens.Code
	apply func(*tokens.Request)
}

// faults are in the order of the fields; the zero fault of each field is none.
var faults = [][]fault{
	{
		{},
		{"userId", tokens.CodeRequired, func(r *tokens.Request) { r.Key.UserID = "" }},
		{"userId", tokens.CodeReserved, func(r *tokens.Request) { r.Key.UserID = "#claim#1#x" }},
		{"userId", tokens.CodeInvalidUTF8, func(r *tokens.Request) { r.Key.UserID = "\xff" }},
		{"userId", tokens.CodeControlCharacter, func(r *tokens.Request) { r.Key.UserID = "\x00" }},
		{"userId", tokens.CodeTooLong, func(r *tokens.Request) { r.Key.UserID = tokens.UserID(strings.Repeat("u", 256)) }},
	}, {
		{},
		{"deviceId", tokens.CodeRequired, func(r *tokens.Request) { r.Key.DeviceID = "" }},
		{"deviceId", tokens.CodeInvalidUTF8, func(r *tokens.Request) { r.Key.DeviceID = "d\xc3" }},
		{"deviceId", tokens.CodeControlCharacter, func(r *tokens.Request) { r.Key.DeviceID = "d\u0085" }},
		{"deviceId", tokens.CodeTooLong, func(r *tokens.Request) { r.Key.DeviceID = tokens.DeviceID(strings.Repeat("d", 129)) }},
	}, {
		{},
		{"expoPushToken", tokens.CodeRequired, func(r *tokens.Request) { r.Token = tokens.Token{} }},
	}, {
		{},
		{"platform", tokens.CodeRequired, func(r *tokens.Request) { r.Platform = "" }},
		{"platform", tokens.CodeUnknown, func(r *tokens.Request) { r.Platform = "web" }},
		{"platform", tokens.CodeUnknown, func(r *tokens.Request) { r.Platform = "iOS" }},
	}, {
		{},
		{"projectId", tokens.CodeInvalidUTF8, func(r *tokens.Request) { r.ProjectID = "\xff" }},
		{"projectId", tokens.CodeControlCharacter, func(r *tokens.Request) { r.ProjectID = "\x7f" }},
		{"projectId", tokens.CodeTooLong, func(r *tokens.Request) { r.ProjectID = tokens.ProjectID(strings.Repeat("p", 65)) }},
	},
}

// TestRequestNamesEveryBadField tries every combination of invalid fields. The error
// names all of them, in the order of the fields.
func TestRequestNamesEveryBadField(t *testing.T) {
	tried := 0
	var try func(req tokens.Request, want []tokens.FieldError, rest [][]fault)
	try = func(req tokens.Request, want []tokens.FieldError, rest [][]fault) {
		if len(rest) == 0 {
			tried++
			if diff := cmp.Diff(want, fieldsOf(t, req.Validate())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			return
		}
		for _, f := range rest[0] {
			req, want := req, want[:len(want):len(want)]
			if f.apply != nil {
				f.apply(&req)
				want = append(want, tokens.FieldError{Field: f.field, Code: f.code})
			}
			try(req, want, rest[1:])
		}
	}
	try(validRequest(), nil, faults)
	if want := 6 * 5 * 2 * 4 * 4; tried != want {
		t.Errorf("tried %d combinations, want %d", tried, want)
	}
}

func TestZeroRequestIsInvalid(t *testing.T) {
	want := []tokens.FieldError{
		{Field: tokens.FieldUserID, Code: tokens.CodeRequired},
		{Field: tokens.FieldDeviceID, Code: tokens.CodeRequired},
		{Field: tokens.FieldToken, Code: tokens.CodeRequired},
		{Field: tokens.FieldPlatform, Code: tokens.CodeRequired},
	}
	err := tokens.Request{}.Validate()
	if diff := cmp.Diff(want, fieldsOf(t, err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const text = "tokens: invalid userId (required), deviceId (required), expoPushToken (required), platform (required)"
	if err.Error() != text {
		t.Errorf("got text %q, want %q", err, text)
	}
}

func TestPlatforms(t *testing.T) {
	for platform, want := range map[tokens.Platform]tokens.Code{
		"ios": "", "android": "",
		"": tokens.CodeRequired, "IOS": tokens.CodeUnknown, "Android": tokens.CodeUnknown, "ios ": tokens.CodeUnknown, "windows": tokens.CodeUnknown,
	} {
		req := validRequest()
		req.Platform = platform
		for _, err := range []error{platform.Validate(), req.Validate()} {
			if got := codeOf(t, err, "platform"); got != want {
				t.Errorf("%q: got code %q, want %q", platform, got, want)
			}
		}
	}
}
