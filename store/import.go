package store

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// An Importer stores a registration as it was in another store, with its times
// and its status. It is an optional interface of a [Store], for migrations; the
// function [Import] finds it.
type Importer interface {
	// Import stores r or changes nothing, in one atomic step, as [PlanImport]
	// decides. The device limit does not apply. It returns a
	// [*tokens.InvalidError] for a registration that [ValidateImport] refuses.
	// (Rule: import.)
	Import(ctx context.Context, r tokens.Registration) (ImportOutcome, error)
}

// An ImportOutcome is what an [Importer] did. The zero value is not an outcome.
type ImportOutcome string

// The outcomes of Import.
const (
	// Imported: the registration was stored. What was under its key, and any
	// other registration with its token, is gone.
	Imported ImportOutcome = "imported"
	// ImportedStatus: the registration was stored already and was active. It
	// now has the status of the imported one.
	ImportedStatus ImportOutcome = "imported_status"
	// ImportKept: nothing changed, because what is stored under the key, or the
	// registration that holds the token, is at least as new.
	ImportKept ImportOutcome = "kept"
	// ImportExpired: nothing changed, because the imported registration is expired.
	ImportExpired ImportOutcome = "expired"
)

// importGrace is how long a registration without an expiry lives at least.
const importGrace = 30 * 24 * time.Hour

// PlanImport decides what an [Importer] does with r at now. own is the stored
// registration under r's key, and holder the one under another key that holds
// r's token; each is nil if there is none or it cannot be decoded. The store has
// to read both and carry the decision out in one atomic step.
//
// If the outcome is Imported, the store writes the returned registration and
// removes holder, if there is one. If it is ImportedStatus, the store writes the
// returned registration. Otherwise it writes nothing.
//
// The rule compares r's UpdatedAt, or now if that is earlier, with the UpdatedAt
// of own and holder, as far as they are live: where one of them is at least as
// new, r is not imported. A second pass takes a log out over, however: if own
// differs from r only in that it is active and r is not, own gets r's status.
// A zero ExpiresAt becomes [Policy.ImportExpiry].
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

// ImportExpiry returns when a registration without an expiry, which an older
// service wrote, expires: a TTL after it was updated, or after now if that is
// earlier, and no sooner than 30 days from now.
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

// asStored returns r with its times as stores keep them.
func asStored(r tokens.Registration) tokens.Registration {
	r.RegisteredAt = r.RegisteredAt.UTC().Truncate(time.Millisecond)
	r.UpdatedAt = r.UpdatedAt.UTC().Truncate(time.Millisecond)
	r.ExpiresAt = r.ExpiresAt.UTC().Truncate(time.Second)
	return r
}

// ValidateImport checks a registration before it is imported, for stores that
// implement [Importer]. It returns nil, or a [*tokens.InvalidError] that names
// every bad field: those of a [tokens.Request], a status that is unknown, and
// times outside the years 1–9999. Zero times are valid.
func ValidateImport(r tokens.Registration) error {
	req := tokens.Request{Key: r.Key, Token: r.Token, Platform: r.Platform, ProjectID: r.ProjectID}
	return tokens.JoinInvalid(req.Validate(), r.Status.Validate(),
		validateTime(tokens.FieldRegisteredAt, r.RegisteredAt),
		validateTime(tokens.FieldUpdatedAt, r.UpdatedAt),
		validateTime(tokens.FieldExpiresAt, r.ExpiresAt))
}

// validateTime refuses a time that RFC 3339 cannot write.
func validateTime(field string, t time.Time) error {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return &tokens.InvalidError{Fields: []tokens.FieldError{{Field: field, Code: tokens.CodeMalformed}}}
	}
	return nil
}
