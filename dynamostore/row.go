package dynamostore

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A row is the stored item under the key of a registration, as it was read.
type row struct {
	item item                // nil: nothing is stored
	reg  tokens.Registration // if err is nil
	err  error               // why the item cannot be decoded
}

func newRow(i item) row {
	if len(i) == 0 {
		return row{}
	}
	r := row{item: i}
	r.reg, r.err = decode(i)
	return r
}

func (r row) exists() bool { return r.item != nil }

// text returns a string attribute, "" if it is absent or of another type.
func (r row) text(name string) string {
	if s, ok := r.item[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func (r row) key() tokens.Key {
	return tokens.Key{UserID: tokens.UserID(r.text(attrUserID)), DeviceID: tokens.DeviceID(r.text(attrDeviceID))}
}

func (r row) live(now time.Time) bool {
	return r.exists() && r.err == nil && !r.reg.Expired(now)
}

// holds is also true for a row that is expired or cannot be decoded.
func (r row) holds(spellings []string) bool {
	return slices.Contains(spellings, r.text(attrToken))
}

// claim returns "" for a row of the earlier service, which has no claim.
func (r row) claim() claimID {
	hash := r.tokenHash()
	if hash.IsZero() || r.text(attrClaimVersion) == "" {
		return ""
	}
	return claimOf(hash)
}

// tokenHash also returns the hash if the row is expired or cannot be decoded for another
// reason. It is zero if there is no token.
func (r row) tokenHash() tokens.Hash {
	t, err := tokens.ParseToken(r.text(attrToken))
	if err != nil {
		return tokens.Hash{}
	}
	return t.Hash()
}

// registration returns the result of Get and Holder at now: ErrNotFound if the row
// is absent or expired, and a CorruptError if it cannot be decoded.
func (r row) registration(now time.Time) (tokens.Registration, error) {
	switch {
	case !r.exists():
		return tokens.Registration{}, store.ErrNotFound
	case r.err != nil:
		if expiresAt, err := seconds(r.item, attrExpiresAt); err == nil && (tokens.Registration{ExpiresAt: expiresAt}).Expired(now) {
			return tokens.Registration{}, store.ErrNotFound
		}
		return tokens.Registration{}, &store.CorruptError{Key: r.key(), Err: r.err}
	case r.reg.Expired(now):
		return tokens.Registration{}, store.ErrNotFound
	}
	return r.reg, nil
}

// decode decodes an item of this package or of the earlier service. Its errors name
// attributes, never values.
func decode(i item) (tokens.Registration, error) {
	d := decoder{item: i}
	rawToken := d.text(attrToken, true)
	reg := tokens.Registration{
		Key: tokens.Key{
			UserID:   tokens.UserID(d.text(attrUserID, true)),
			DeviceID: tokens.DeviceID(d.text(attrDeviceID, true)),
		},
		Platform:     tokens.Platform(d.text(attrPlatform, true)),
		ProjectID:    tokens.ProjectID(d.text(attrProjectID, false)),
		Status:       d.status(),
		RegisteredAt: d.time(attrRegisteredAt),
		UpdatedAt:    d.time(attrUpdatedAt),
	}
	var err error
	if reg.ExpiresAt, err = seconds(i, attrExpiresAt); err != nil {
		d.fail(err)
	}
	if d.err != nil {
		return tokens.Registration{}, d.err
	}
	reg.Token, err = tokens.ParseToken(rawToken)
	if err == nil {
		err = tokens.Request{Key: reg.Key, Token: reg.Token, Platform: reg.Platform, ProjectID: reg.ProjectID}.Validate()
	}
	if err != nil {
		// Not wrapped: an InvalidError is about the caller's arguments.
		return tokens.Registration{}, errors.New("stored " + err.Error())
	}
	return reg, nil
}

// A decoder decodes attributes and keeps the first error.
type decoder struct {
	item item
	err  error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) text(name string, required bool) string {
	switch v := d.item[name].(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case nil:
		if required {
			d.fail(fmt.Errorf("attribute %s is missing", name))
		}
	default:
		d.fail(fmt.Errorf("attribute %s is not a string", name))
	}
	return ""
}

// time rejects other offsets than UTC, because their texts do not sort like times. An absent
// time is zero.
func (d *decoder) time(name string) time.Time {
	s := d.text(name, false)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || s[len(s)-1] != 'Z' {
		d.fail(fmt.Errorf("attribute %s is not a time in UTC as RFC 3339 has it", name))
	}
	return t
}

func (d *decoder) status() tokens.Status {
	switch v := d.item[attrIsActive].(type) {
	case nil:
		return tokens.Active
	case *types.AttributeValueMemberBOOL:
		if v.Value {
			return tokens.Active
		}
	default:
		d.fail(fmt.Errorf("attribute %s is not a boolean", attrIsActive))
	}
	switch s := tokens.Status(d.text(attrInactiveReason, false)); s {
	case tokens.LoggedOut, tokens.DeviceNotRegistered:
		return s
	}
	return tokens.Inactive
}

// maxSeconds is the last second of the year 9999, the last that RFC 3339 can express.
const maxSeconds = 253402300799

func storable(t time.Time) time.Time {
	if latest := time.Unix(maxSeconds, 0).UTC(); t.After(latest) {
		return latest
	}
	return t
}

// seconds returns zero for an absent time.
func seconds(i item, name string) (time.Time, error) {
	switch v := i[name].(type) {
	case nil:
		return time.Time{}, nil
	case *types.AttributeValueMemberN:
		n, err := strconv.ParseInt(v.Value, 10, 64)
		if err == nil && n <= maxSeconds {
			return time.Unix(max(n, 0), 0).UTC(), nil // any time before 1970 is equally expired
		}
	}
	return time.Time{}, fmt.Errorf("attribute %s is not a number of epoch seconds", name)
}
