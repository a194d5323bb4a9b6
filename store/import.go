package store

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// An Importer writes a registration of another store with its times and status.
// It is an optional interface of a [Store], for migrations. Call it with the
// function [Import].
type Importer interface {
	// Import writes r or changes nothing, as [Policy.PlanImport] decides, in one
	// atomic step. It may exceed the device limit. The error is a
	// [*tokens.InvalidError] if [ValidateImport] rejects r. (Rule: import.)
	Import(ctx context.Context, r tokens.Registration) (ImportOutcome, error)
}

// An ImportOutcome is what an [Importer] did. The zero value is not an outcome.
type ImportOutcome string

// The outcomes of Import.
const (
	// Imported: the registration was written. Import removed the registration
	// that was under its key, and any other registration with its token.
	Imported ImportOutcome = "imported"
	// ImportedStatus: the registration was stored already and was active. It
	// now has the status of the imported one.
	ImportedStatus ImportOutcome = "imported_status"
	// ImportKept: nothing changed, because the stored registration under the key,
	// or the holder of the token, is at least as new.
	ImportKept ImportOutcome = "kept"
	// ImportExpired: nothing changed, because the imported registration is expired.
	ImportExpired ImportOutcome = "expired"
)

// importGrace is the minimum time to live of a registration without an expiry.
const importGrace = 30 * 24 * time.Hour

// PlanImport decides what an [Importer] does with r at now. own is the stored
// registration under r's key. holder is the one under another key that holds r's
// token. Each is nil if there is none or it cannot be decoded. The store reads
// both and applies the decision in one atomic step:
//
//   - Imported: write the returned registration, and remove holder.
//   - ImportedStatus: write the returned registration.
//   - any other outcome: write nothing.
//
// PlanImport keeps own and holder if one of them is live and at least as new as r. A
// registration is as new as r if its UpdatedAt is not before r's, or not before now
// if r's is in the future. One exception lets a second import apply a logout: if own
// is active, r is not, and both have the same token and UpdatedAt, own gets r's
// status. A zero ExpiresAt becomes [Policy.ImportExpiry].
func (p Policy) PlanImport(r tokens.Registration, now time.Time, own, holder *tokens.Registration) (tokens.Registration, ImportOutcome) {
	r = asStored(r)
	if r.ExpiresAt.IsZero() {
		r.ExpiresAt = p.ImportExpiry(r.UpdatedAt, now)
	}
	if r.Expired(now) {
		return tokens.Registration{}, ImportExpired
	}
	updatedAt := r.UpdatedAt
	if latest := now.Truncate(time.Millisecond); updatedAt.After(latest) {
		updatedAt = latest
	}
	newer := func(stored *tokens.Registration) bool {
		return stored != nil && !stored.Expired(now) && !stored.UpdatedAt.Before(updatedAt)
	}
	switch {
	case newer(own):
		if own.Token.Equal(r.Token) && own.UpdatedAt.Equal(r.UpdatedAt) && own.Active() && !r.Active() {
			changed := *own
			changed.Status = r.Status
			return changed, ImportedStatus
		}
		return tokens.Registration{}, ImportKept
	case newer(holder):
		return tokens.Registration{}, ImportKept
	}
	return r, Imported
}

// ImportExpiry returns the expiry for a registration that an older service wrote
// without one: the policy's TTL after updatedAt, or after now if updatedAt is in
// the future, but at least 30 days from now.
func (p Policy) ImportExpiry(updatedAt, now time.Time) time.Time {
	if updatedAt.After(now) {
		updatedAt = now
	}
	grace := now.Add(importGrace).UTC().Truncate(time.Second)
	if expiry := p.Expiry(updatedAt); expiry.After(grace) {
		return expiry
	}
	return grace
}

func asStored(r tokens.Registration) tokens.Registration {
	r.RegisteredAt = r.RegisteredAt.UTC().Truncate(time.Millisecond)
	r.UpdatedAt = r.UpdatedAt.UTC().Truncate(time.Millisecond)
	r.ExpiresAt = r.ExpiresAt.UTC().Truncate(time.Second)
	return r
}

// ValidateImport validates the argument of Import, for implementations of
// [Importer]. It returns nil, or a [*tokens.InvalidError] with every invalid field:
// those of a [tokens.Request], an unknown status, and times outside the years
// 1–9999. Zero times are valid.
func ValidateImport(r tokens.Registration) error {
	req := tokens.Request{Key: r.Key, Token: r.Token, Platform: r.Platform, ProjectID: r.ProjectID}
	return tokens.JoinInvalid(req.Validate(), r.Status.Validate(),
		validateTime(tokens.FieldRegisteredAt, r.RegisteredAt),
		validateTime(tokens.FieldUpdatedAt, r.UpdatedAt),
		validateTime(tokens.FieldExpiresAt, r.ExpiresAt))
}

func validateTime(field string, t time.Time) error {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return &tokens.InvalidError{Fields: []tokens.FieldError{{Field: field, Code: tokens.CodeMalformed}}}
	}
	return nil
}
