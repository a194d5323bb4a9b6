package store

import (
	"errors"
	"fmt"
	"time"
)

// What a zero [Policy] stands for, and what no policy changes.
const (
	DefaultTTL        = 90 * 24 * time.Hour
	MinTTL            = 7 * 24 * time.Hour
	MaxTTL            = 10 * 365 * 24 * time.Hour
	DefaultMaxDevices = 20
	MaxMaxDevices     = 1000

	// MaxEvictions is how many registrations one Register removes at most for
	// the device limit.
	MaxEvictions = 40

	// ClockSkew is how far the clocks of two servers may be apart without an
	// Invalidate hitting a registration that is newer than the message.
	ClockSkew = 5 * time.Minute
)

// A Policy is everything besides the calls that decides a store's answers. All
// stores take one; the zero value is the default policy.
type Policy struct {
	// TTL is how long a registration lives after the last Register: whole
	// seconds from MinTTL to MaxTTL. 0 means DefaultTTL.
	TTL time.Duration
	// MaxDevices is how many unexpired registrations a user may have: 1 to
	// MaxMaxDevices. 0 means DefaultMaxDevices.
	MaxDevices int
	// Now is the clock; nil means time.Now. It must be safe for concurrent
	// use, and must not call the store.
	Now func() time.Time
}

// WithDefaults returns p with its zero fields filled in, or an error that names
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

// Expiry returns when a registration made at now expires: now + TTL, in whole
// seconds, rounded down. It is for stores, on what [Policy.WithDefaults]
// returned: a TTL of 0 is none here.
func (p Policy) Expiry(now time.Time) time.Time {
	return now.Add(p.TTL).UTC().Truncate(time.Second)
}
