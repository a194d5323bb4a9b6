package store

import (
	"context"
	"errors"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// ValidateInvalidation checks the arguments of [Store].Invalidate, for stores
// that implement it. It returns nil, or a [*tokens.InvalidError] that names every
// bad one: key and hash as elsewhere, and a sentAt that is zero or outside the
// years 1–9999, which RFC 3339 can write.
func ValidateInvalidation(key tokens.Key, h tokens.Hash, sentAt time.Time) error {
	return tokens.JoinInvalid(key.Validate(), h.Validate(), validateSentAt(sentAt))
}

func validateSentAt(sentAt time.Time) error {
	var code tokens.Code
	switch year := sentAt.UTC().Year(); {
	case sentAt.IsZero():
		code = tokens.CodeRequired
	case year < 1 || year > 9999:
		code = tokens.CodeMalformed
	default:
		return nil
	}
	return &tokens.InvalidError{Fields: []tokens.FieldError{{Field: tokens.FieldSentAt, Code: code}}}
}

// InvalidateToken invalidates the registration that holds the token: Holder, then
// Invalidate. It is for a sender that kept the token of its message and no key;
// a sender that kept the key calls Invalidate with the hash. If no registration
// holds the token, or the token moves between the two calls, nothing changes and
// the error is nil.
//
// In a table of an older service that was not upgraded, Holder misses rows that
// were not registered since, and so does this.
func InvalidateToken(ctx context.Context, s Store, t tokens.Token, sentAt time.Time) error {
	if err := tokens.JoinInvalid(t.Validate(), validateSentAt(sentAt)); err != nil {
		return err
	}
	reg, err := s.Holder(ctx, t.Hash())
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Invalidate(ctx, reg.Key, t.Hash(), sentAt)
}
