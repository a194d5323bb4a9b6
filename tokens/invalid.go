package tokens

import (
	"errors"
	"slices"
	"strings"
)

// The fields of an [InvalidError], named as in the JSON of package httpapi.
const (
	FieldUserID    = "userId"
	FieldDeviceID  = "deviceId"
	FieldToken     = "expoPushToken"
	FieldPlatform  = "platform"
	FieldProjectID = "projectId"
	FieldTokenHash = "tokenHash"
	FieldSentAt    = "sentAt"

	FieldStatus       = "status"
	FieldRegisteredAt = "registeredAt"
	FieldUpdatedAt    = "updatedAt"
	FieldExpiresAt    = "expiresAt"
)

// A Code is the rule that a field breaks. Codes do not change: programs and apps
// may switch on them.
type Code string

// The codes of a [FieldError].
const (
	CodeRequired         Code = "required"          // missing or empty
	CodeTooLong          Code = "too_long"          // more characters than allowed
	CodeInvalidUTF8      Code = "invalid_utf8"      // not valid UTF-8
	CodeControlCharacter Code = "control_character" // has a character of Unicode's category Cc
	CodeReserved         Code = "reserved"          // begins with '#', which stores use for rows of their own
	CodeMalformed        Code = "malformed"         // wrong format
	CodeUnknown          Code = "unknown"           // not one of the allowed values
)

// A FieldError is one invalid field of an [InvalidError].
type FieldError struct {
	Field string // as in JSON: "expoPushToken", not "Token"
	Code  Code
}

// An InvalidError lists every field of an argument that breaks a rule, each once,
// in the order of declaration. A retry returns the same error: the caller has to
// change the argument. Neither the text nor the fields contain any of the input.
type InvalidError struct {
	Fields []FieldError // never empty
}

var _ error = (*InvalidError)(nil)

// Error returns every field with its code, for example
// "tokens: invalid deviceId (too_long), platform (required)".
func (e *InvalidError) Error() string {
	var b strings.Builder
	for i, f := range e.Fields {
		if i == 0 {
			b.WriteString("tokens: invalid ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(f.Field + " (" + string(f.Code) + ")")
	}
	return b.String()
}

// JoinInvalid merges the errors of several validations into one [*InvalidError],
// which has their fields in order. A field that occurs twice keeps its first code.
// JoinInvalid returns nil if every err is nil, and returns the first err that is
// not an *InvalidError unchanged.
func JoinInvalid(errs ...error) error {
	var joined faults
	for _, err := range errs {
		if err == nil {
			continue
		}
		var inv *InvalidError
		if !errors.As(err, &inv) {
			return err
		}
		for _, f := range inv.Fields {
			if !slices.ContainsFunc(joined, func(g FieldError) bool { return g.Field == f.Field }) {
				joined = append(joined, f)
			}
		}
	}
	return joined.err()
}

func invalid(field string, code Code) *InvalidError {
	return &InvalidError{Fields: []FieldError{{Field: field, Code: code}}}
}

func check(field string, code Code) error {
	if code == "" {
		return nil
	}
	return invalid(field, code)
}

type faults []FieldError

func (f *faults) add(field string, code Code) {
	if code != "" {
		*f = append(*f, FieldError{Field: field, Code: code})
	}
}

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &InvalidError{Fields: f}
}
