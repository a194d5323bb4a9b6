package tokens_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

func TestStatuses(t *testing.T) {
	for status, want := range map[tokens.Status]struct {
		active bool
		code   tokens.Code
	}{
		"active": {active: true}, "logout": {}, "device_not_registered": {}, "inactive": {},
		"": {code: tokens.CodeRequired}, "Active": {code: tokens.CodeUnknown},
	} {
		if got := (tokens.Registration{Status: status}).Active(); got != want.active {
			t.Errorf("%q is active: %t, want %t", status, got, want.active)
		}
		if got := codeOf(t, status.Validate(), "status"); got != want.code {
			t.Errorf("%q: got code %q, want %q", status, got, want.code)
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
		{"a row of an older service", time.Time{}, time.Unix(1<<40, 0), false},
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

// TestRequestNamesEveryBadField tries every combination of invalid fields. The error
// names all of them, in the order of the fields.
func TestRequestNamesEveryBadField(t *testing.T) {
	faults := []struct {
		want  tokens.FieldError
		apply func(*tokens.Request)
	}{
		{bad("userId", tokens.CodeReserved), func(r *tokens.Request) { r.Key.UserID = "#claim#1#x" }},
		{bad("deviceId", tokens.CodeInvalidUTF8), func(r *tokens.Request) { r.Key.DeviceID = "d\xc3" }},
		{bad("expoPushToken", tokens.CodeRequired), func(r *tokens.Request) { r.Token = tokens.Token{} }},
		{bad("platform", tokens.CodeUnknown), func(r *tokens.Request) { r.Platform = "web" }},
		{bad("projectId", tokens.CodeControlCharacter), func(r *tokens.Request) { r.ProjectID = "\x7f" }},
	}
	for set := range 1 << len(faults) {
		req := validRequest()
		var want, ofKey []tokens.FieldError
		for i, fault := range faults {
			if set&(1<<i) == 0 {
				continue
			}
			fault.apply(&req)
			want = append(want, fault.want)
			if i < 2 {
				ofKey = append(ofKey, fault.want)
			}
		}
		equal(t, "fields", want, fieldsOf(t, req.Validate()))
		equal(t, "fields of the key", ofKey, fieldsOf(t, req.Key.Validate()))
	}
}

func equal(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func bad(field string, code tokens.Code) tokens.FieldError {
	return tokens.FieldError{Field: field, Code: code}
}

func invalid(fields ...tokens.FieldError) *tokens.InvalidError {
	return &tokens.InvalidError{Fields: fields}
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

// codeOf returns the code of the one bad field of err, "" if err is nil.
func codeOf(t *testing.T, err error, field string) tokens.Code {
	t.Helper()
	if err == nil {
		return ""
	}
	fields := fieldsOf(t, err)
	if len(fields) != 1 || fields[0].Field != field {
		t.Fatalf("got error %v, want one of field %s", err, field)
	}
	return fields[0].Code
}

// Apps switch on the codes: a change of one breaks them.
func TestCodesAreStable(t *testing.T) {
	const want = "[required too_long invalid_utf8 control_character reserved malformed unknown]"
	got := fmt.Sprint([]tokens.Code{
		tokens.CodeRequired, tokens.CodeTooLong, tokens.CodeInvalidUTF8, tokens.CodeControlCharacter,
		tokens.CodeReserved, tokens.CodeMalformed, tokens.CodeUnknown,
	})
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestJoinInvalid(t *testing.T) {
	var (
		user     = bad("userId", tokens.CodeReserved)
		device   = bad("deviceId", tokens.CodeRequired)
		longUser = bad("userId", tokens.CodeTooLong)
		sentAt   = bad(tokens.FieldSentAt, tokens.CodeRequired)
		other    = errors.New("not an argument's fault")
	)
	for _, tt := range []struct {
		name string
		errs []error
		want error
		text string
	}{
		{"nothing", nil, nil, ""},
		{"nil errors", []error{nil, nil}, nil, ""},
		{"one", []error{nil, invalid(user), nil}, invalid(user), "tokens: invalid userId (reserved)"},
		{"in their order", []error{invalid(sentAt), invalid(user, device)}, invalid(sentAt, user, device),
			"tokens: invalid sentAt (required), userId (reserved), deviceId (required)"},
		{"the first code of a field", []error{invalid(user), invalid(device, longUser)}, invalid(user, device),
			"tokens: invalid userId (reserved), deviceId (required)"},
		{"wrapped", []error{fmt.Errorf("argument: %w", invalid(user)), invalid(sentAt)}, invalid(user, sentAt),
			"tokens: invalid userId (reserved), sentAt (required)"},
		{"another error", []error{invalid(user), nil, other}, other, other.Error()},
		{"another error first", []error{other, invalid(user)}, other, other.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tokens.JoinInvalid(tt.errs...)
			if want, ok := tt.want.(*tokens.InvalidError); !ok && err != tt.want {
				t.Fatalf("got %v, want %v", err, tt.want)
			} else if ok && !cmp.Equal(want.Fields, fieldsOf(t, err)) {
				t.Errorf("got %v, want %v", err, want)
			}
			if err != nil && err.Error() != tt.text {
				t.Errorf("got %q, want %q", err, tt.text)
			}
		})
	}
}

// A caller may change the joined error without changing its parts.
func TestJoinInvalidCopies(t *testing.T) {
	part := invalid(bad("userId", tokens.CodeRequired))
	fieldsOf(t, tokens.JoinInvalid(part))[0].Code = tokens.CodeUnknown
	if part.Fields[0].Code != tokens.CodeRequired {
		t.Error("the part has changed with the joined error")
	}
}
