package tokens

import (
	"errors"
	"slices"
	"strings"
)

// The fields of an [InvalidError], named as on the wire.
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

// A Code says what is wrong with a field. Codes are stable: programs and apps
// may switch on them.
type Code string

// The codes of a [FieldError].
const (
	CodeRequired         Code = "required"          // missing or empty
	CodeTooLong          Code = "too_long"          // more characters than allowed
	CodeInvalidUTF8      Code = "invalid_utf8"      // not valid UTF-8
	CodeControlCharacter Code = "control_character" // has a character of Unicode's category Cc
	CodeReserved         Code = "reserved"          // begins with '#', which is the stores' own
	CodeMalformed        Code = "malformed"         // not of the required form
	CodeUnknown          Code = "unknown"           // not one of the known values
)

// A FieldError is one bad field of an [InvalidError].
type FieldError struct {
	Field string // as on the wire: "expoPushToken", not "Token"
	Code  Code
}

// An InvalidError says which fields of an argument break a rule: all of them,
// each once, in the order in which the argument declares them. The same argument
// gives the same error again; the caller has to change it. Neither the text nor
// the fields contain any of the input.
type InvalidError struct {
	Fields []FieldError // never empty
}

var _ error = (*InvalidError)(nil)

// Error returns "tokens: invalid " with each field and its code, such as
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

// JoinInvalid makes one error of what several checks returned. It returns nil if
// every err is nil; else an [*InvalidError] with the fields of all of them in
// their order, where a field that appears again keeps its first code. An err that
// is no *InvalidError is returned as it is.
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

// faults collects what is wrong with an argument, field by field.
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
