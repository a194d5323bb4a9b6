package store

import (
	"context"
	"errors"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// ValidateInvalidation validates the arguments of [Store].Invalidate, for
// implementations of it. It returns nil, or a [*tokens.InvalidError] with every
// invalid one. A sentAt is invalid if it is zero or outside the years 1–9999,
// which RFC 3339 can express.
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

// InvalidateToken calls Holder and then Invalidate, for a sender that has the token
// of a message but not its key. If no registration holds the token, or the token
// moves between the two calls, InvalidateToken changes nothing and returns nil.
//
// In a DynamoDB table that an older service filled, Holder and InvalidateToken do
// not find the older rows until they are registered again or the table is upgraded.
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
