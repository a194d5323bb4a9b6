package dynamostore

import (
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// A claim is an item that says which registration holds a token. Its hash key is
// made of the token's hash, so whoever wants the token comes to the same item,
// and a condition on it decides between them. User ids do not begin with '#', so
// it is in nobody's list.
type claim struct {
	item  item       // nil: nobody holds the token; its version is random, new at each write
	owner tokens.Key // zero if the item does not say
}

// A claimID is the hash key of a claim.
type claimID string

const (
	claimPrefix   = "#claim#1#" // 1: the version of the hash
	claimDeviceID = "#"

	// claimMargin is how much longer than a registration its claim has to
	// live. It covers clocks that differ, and the lag of DynamoDB's TTL.
	claimMargin = 24 * time.Hour

	// maxClaimExtra is the most that a claim is written to outlive a
	// registration by. It is why a daily user's claim is renewed monthly, and
	// not daily.
	maxClaimExtra = 30 * 24 * time.Hour
)

func claimOf(t tokens.Token) claimID {
	hash := t.Hash()
	return claimID(claimPrefix + base64.RawURLEncoding.EncodeToString(hash[:]))
}

func (id claimID) key() item {
	return item{attrUserID: stringValue(string(id)), attrDeviceID: stringValue(claimDeviceID)}
}

func newClaim(i item) claim {
	if len(i) == 0 {
		return claim{}
	}
	r := row{item: i}
	return claim{
		item:  i,
		owner: tokens.Key{UserID: tokens.UserID(r.text(attrOwnerUserID)), DeviceID: tokens.DeviceID(r.text(attrOwnerDeviceID))},
	}
}

func (c claim) exists() bool { return c.item != nil }

func (c claim) version() string { return row{item: c.item}.text(attrVersion) }

// unchanged holds while the claim is as observed: free, or of the same version.
func (c claim) unchanged() guard {
	if !c.exists() {
		return guard{condition: notExists()}
	}
	return guard{condition: exists()}.and(as(c.item, attrVersion))
}

// item returns the claim of owner on a token as it is to be stored.
func (id claimID) item(owner tokens.Key, version string, expiresAt time.Time) item {
	i := id.key()
	i[attrOwnerUserID] = stringValue(string(owner.UserID))
	i[attrOwnerDeviceID] = stringValue(string(owner.DeviceID))
	i[attrVersion] = stringValue(version)
	i[attrExpiresAt] = secondsValue(expiresAt)
	return i
}

// claimExpiry is when the claim of a registration made now expires.
func (s *Store) claimExpiry(now time.Time) time.Time {
	return s.policy.Expiry(now).Add(s.claimExtra())
}

// claimExtra is how much longer than the registration a claim is written to live.
func (s *Store) claimExtra() time.Duration { return min(s.policy.TTL, maxClaimExtra) }

func newVersion() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see its documentation
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// claimHeldBy returns the claim that a registration says that it holds.
func claimHeldBy(r row) claim {
	version := r.text(attrClaimVersion)
	if version == "" {
		return claim{}
	}
	return claim{item: item{attrVersion: stringValue(version)}, owner: r.key()}
}
