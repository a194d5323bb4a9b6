package tokens

import "time"

// A Registration is what a store keeps of one (user, device): the token that
// reaches it, and since and until when. Only stores make them; the zero value
// is not a registration.
type Registration struct {
	Key       Key
	Token     Token // as the app spelled it
	Platform  Platform
	ProjectID ProjectID // "" if the app did not say
	Status    Status

	// RegisteredAt is when this (user, device) was first registered, and
	// UpdatedAt when it was registered last. Both are UTC with milliseconds.
	// Either is zero in a row of an older service that did not have it.
	RegisteredAt, UpdatedAt time.Time

	// ExpiresAt is when the registration stops reaching anyone unless the app
	// registers again. UTC, whole seconds. It is zero in a row of an older
	// service, which does not expire until it is registered or upgraded.
	ExpiresAt time.Time
}

// Active reports whether the registration may be sent to: nobody logged out,
// and Expo did not report the device gone. It says nothing of expiry; stores
// return no expired registration.
func (r Registration) Active() bool { return r.Status == Active }

// Expired reports whether r is expired at now: from the second of ExpiresAt on,
// and never if ExpiresAt is zero. It is the one definition; every store uses it.
func (r Registration) Expired(now time.Time) bool {
	return !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt)
}

// A Status says whether a registration may be sent to, and if not, why. The
// first reason stays until the device registers again. The zero value is
// invalid.
type Status string

// The statuses of a [Registration].
const (
	Active              Status = "active"
	LoggedOut           Status = "logout"                // the user logged out on this device
	DeviceNotRegistered Status = "device_not_registered" // Expo reported the device gone
	Inactive            Status = "inactive"              // an older service did not say why, or with a reason unknown here
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
