package tokens

import "time"

// A Registration is one stored device of one user: its token, status and times.
// Stores return registrations. The zero value is not a registration.
type Registration struct {
	Key       Key
	Token     Token // in the app's spelling
	Platform  Platform
	ProjectID ProjectID // "" if the app sent none
	Status    Status

	// RegisteredAt is the time of the first Register of this (user, device), and
	// UpdatedAt that of the last. Both are UTC, in milliseconds. Either is zero
	// in a row of an older service that did not store it.
	RegisteredAt, UpdatedAt time.Time

	// ExpiresAt is the time at which the registration expires unless the app
	// registers again. It is UTC, in whole seconds. It is zero in a row of an
	// older service, which does not expire until it is registered or upgraded.
	ExpiresAt time.Time
}

// Active reports whether the status is [Active], so that messages may be sent to
// the device. It ignores expiry: see [Registration.Expired].
func (r Registration) Active() bool { return r.Status == Active }

// Expired reports whether r is expired at now: from ExpiresAt on, and never if
// ExpiresAt is zero. Every store uses this definition.
func (r Registration) Expired(now time.Time) bool {
	return !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt)
}

// A Status is [Active], or the reason why no message may be sent. An inactive
// registration keeps its first reason until the device registers again. The zero
// value is invalid.
type Status string

// The statuses of a [Registration].
const (
	Active              Status = "active"
	LoggedOut           Status = "logout"                // the user logged out on this device
	DeviceNotRegistered Status = "device_not_registered" // Expo reported the device gone
	Inactive            Status = "inactive"              // set by an older service, without a reason or with an unknown one
)

// Validate returns nil for one of the four statuses, or an [*InvalidError] with
// the field status.
func (s Status) Validate() error {
	switch s {
	case Active, LoggedOut, DeviceNotRegistered, Inactive:
		return nil
	case "":
		return invalid(FieldStatus, CodeRequired)
	}
	return invalid(FieldStatus, CodeUnknown)
}

// A Request registers a token for one device of one user. An app sends one at each
// launch. The zero value is invalid.
type Request struct {
	Key       Key
	Token     Token
	Platform  Platform
	ProjectID ProjectID // optional; "" clears an earlier one
}

// Validate returns nil, or an [*InvalidError] with every invalid field, each with
// the first rule that it breaks.
func (r Request) Validate() error {
	var f faults
	r.Key.check(&f)
	if r.Token.IsZero() {
		f.add(FieldToken, CodeRequired)
	}
	f.add(FieldPlatform, r.Platform.fault())
	f.add(FieldProjectID, r.ProjectID.fault())
	return f.err()
}
