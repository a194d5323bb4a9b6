package store

import (
	"errors"
	"fmt"
	"time"
)

// Policy defaults and fixed limits.
const (
	DefaultTTL        = 90 * 24 * time.Hour
	MinTTL            = 7 * 24 * time.Hour
	MaxTTL            = 10 * 365 * 24 * time.Hour
	DefaultMaxDevices = 20
	MaxMaxDevices     = 1000

	// MaxEvictions is the maximum number of registrations that one Register
	// removes for the device limit.
	MaxEvictions = 40

	// ClockSkew is the difference between the clocks of two servers that
	// Invalidate tolerates. Invalidate changes a registration only if its
	// UpdatedAt is at least ClockSkew before the message was sent.
	ClockSkew = 5 * time.Minute
)

// A Policy configures expiry, the device limit and the clock of a store. All
// stores take one. The zero value is the default policy.
type Policy struct {
	// TTL is the lifetime of a registration after the last Register, in whole
	// seconds from MinTTL to MaxTTL. 0 means DefaultTTL.
	TTL time.Duration
	// MaxDevices is the maximum number of live registrations of a user: 1 to
	// MaxMaxDevices. 0 means DefaultMaxDevices.
	MaxDevices int
	// Now is the clock. nil means time.Now. It must be safe for concurrent use
	// and must not call the store.
	Now func() time.Time
}

// WithDefaults returns p with defaults in its zero fields, or an error that names
// every field that is out of range.
func (p Policy) WithDefaults() (Policy, error) {
	if p.TTL == 0 {
		p.TTL = DefaultTTL
	}
	if p.MaxDevices == 0 {
		p.MaxDevices = DefaultMaxDevices
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	var errs []error
	if p.TTL < MinTTL || p.TTL > MaxTTL || p.TTL%time.Second != 0 {
		errs = append(errs, fmt.Errorf("store: Policy.TTL is %v, want whole seconds from %v to %v", p.TTL, MinTTL, MaxTTL))
	}
	if p.MaxDevices < 1 || p.MaxDevices > MaxMaxDevices {
		errs = append(errs, fmt.Errorf("store: Policy.MaxDevices is %d, want 1 to %d", p.MaxDevices, MaxMaxDevices))
	}
	return p, errors.Join(errs...)
}

// Expiry returns the expiry of a registration that is written at now: now + TTL,
// rounded down to whole seconds. It is for implementations of [Store]. Call it on
// the result of [Policy.WithDefaults], because it does not replace a zero TTL.
func (p Policy) Expiry(now time.Time) time.Time {
	return now.Add(p.TTL).UTC().Truncate(time.Second)
}
