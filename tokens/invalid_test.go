package tokens_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

func invalid(fields ...tokens.FieldError) *tokens.InvalidError {
	return &tokens.InvalidError{Fields: fields}
}

func TestInvalidErrorText(t *testing.T) {
	for want, err := range map[string]error{
		"tokens: invalid deviceId (too_long)": invalid(tokens.FieldError{Field: "deviceId", Code: tokens.CodeTooLong}),
		"tokens: invalid deviceId (too_long), platform (required)": invalid(
			tokens.FieldError{Field: "deviceId", Code: tokens.CodeTooLong},
			tokens.FieldError{Field: "platform", Code: tokens.CodeRequired}),
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

// Apps switch on the codes: a change of one breaks them.
func TestCodesAndFieldsAreStable(t *testing.T) {
	want := []string{
		"required", "too_long", "invalid_utf8", "control_character", "reserved", "malformed", "unknown",
		"userId", "deviceId", "expoPushToken", "platform", "projectId", "sentAt",
	}
	var got []string
	for _, c := range []tokens.Code{
		tokens.CodeRequired, tokens.CodeTooLong, tokens.CodeInvalidUTF8, tokens.CodeControlCharacter, tokens.CodeReserved, tokens.CodeMalformed, tokens.CodeUnknown,
	} {
		got = append(got, string(c))
	}
	got = append(got, tokens.FieldUserID, tokens.FieldDeviceID, tokens.FieldToken, tokens.FieldPlatform, tokens.FieldProjectID, tokens.FieldSentAt)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestJoinInvalid(t *testing.T) {
	var (
		user     = tokens.FieldError{Field: "userId", Code: tokens.CodeReserved}
		device   = tokens.FieldError{Field: "deviceId", Code: tokens.CodeRequired}
		longUser = tokens.FieldError{Field: "userId", Code: tokens.CodeTooLong}
		sentAt   = tokens.FieldError{Field: "sentAt", Code: tokens.CodeRequired}
	)
	for _, tt := range []struct {
		name string
		errs []error
		want []tokens.FieldError
	}{
		{"nothing", nil, nil},
		{"nil errors", []error{nil, nil}, nil},
		{"one", []error{nil, invalid(user), nil}, []tokens.FieldError{user}},
		{"in their order", []error{invalid(sentAt), invalid(user, device)}, []tokens.FieldError{sentAt, user, device}},
		{"the first code of a field", []error{invalid(user), invalid(device, longUser)}, []tokens.FieldError{user, device}},
		{"wrapped", []error{fmt.Errorf("argument: %w", invalid(user)), invalid(sentAt)}, []tokens.FieldError{user, sentAt}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tokens.JoinInvalid(tt.errs...)
			if (err == nil) != (tt.want == nil) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(tt.want, fieldsOf(t, err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestJoinInvalidReturnsOtherErrorsAsTheyAre(t *testing.T) {
	other := errors.New("no argument's fault")
	bad := invalid(tokens.FieldError{Field: "userId", Code: tokens.CodeRequired})
	for _, errs := range [][]error{{other}, {other, bad}, {bad, nil, other}} {
		if got := tokens.JoinInvalid(errs...); got != other {
			t.Errorf("%v: got %v, want %v", errs, got, other)
		}
	}
}

// What was joined is the caller's: changing it does not reach the parts.
func TestJoinInvalidCopies(t *testing.T) {
	part := invalid(tokens.FieldError{Field: "userId", Code: tokens.CodeRequired})
	fieldsOf(t, tokens.JoinInvalid(part))[0].Code = tokens.CodeUnknown
	if part.Fields[0].Code != tokens.CodeRequired {
		t.Error("the part has changed with the whole")
	}
}
