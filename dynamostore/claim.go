package dynamostore

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/devicetokens/devicetokens/tokens"
)

// A claim is an item that names the registration that holds a token. Its hash key is derived
// from the token's hash, so all calls that move the token write the same item, and a
// condition on it orders them. No user has the key of a claim, because user ids do not begin
// with '#'.
type claim struct {
	item  item       // nil: the token is free; each write sets a random version
	owner tokens.Key // zero if the item does not name one
}

// A claimID is the hash key of a claim.
type claimID string

const (
	claimPrefix   = "#claim#1#" // 1: the version of the hash
	claimDeviceID = "#"

	// claimMargin is the minimum time by which a claim outlives its registration. It
	// covers differences between clocks.
	claimMargin = 24 * time.Hour

	// maxClaimExtra limits by how much a new claim outlives its registration. The claim
	// of a device that is used daily is therefore renewed monthly.
	maxClaimExtra = 30 * 24 * time.Hour
)

func claimOf(h tokens.Hash) claimID {
	return claimID(claimPrefix + base64.RawURLEncoding.EncodeToString(h[:]))
}

func (id claimID) key() item {
	return item{attrUserID: stringValue(string(id)), attrDeviceID: stringValue(claimDeviceID)}
}

func (id claimID) item(owner tokens.Key, version string, expiresAt time.Time) item {
	i := id.key()
	i[attrOwnerUserID] = stringValue(string(owner.UserID))
	i[attrOwnerDeviceID] = stringValue(string(owner.DeviceID))
	i[attrVersion] = stringValue(version)
	i[attrExpiresAt] = secondsValue(expiresAt)
	return i
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

func claimRecordedBy(r row) claim {
	version := r.text(attrClaimVersion)
	if version == "" {
		return claim{}
	}
	return claim{item: item{attrVersion: stringValue(version)}, owner: r.key()}
}

func (c claim) exists() bool { return c.item != nil }

func (c claim) version() string { return row{item: c.item}.text(attrVersion) }

// unchanged requires the claim to be absent or of the same version, as observed.
func (c claim) unchanged() guard {
	if !c.exists() {
		return guard{condition: notExists()}
	}
	return guard{condition: exists()}.and(attributesEqual(c.item, attrVersion))
}

func (s *Store) claimExpiry(now time.Time) time.Time {
	return s.policy.Expiry(now).Add(s.claimExtra())
}

func (s *Store) claimExtra() time.Duration { return min(s.policy.TTL, maxClaimExtra) }

func newVersion() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see its documentation
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// A claimRelease removes the claims of rows that a transaction removes or overwrites, at
// best effort: a claim that another registration holds now stays, and others expire.
type claimRelease struct {
	// lost has the versions of the claims that other registrations hold now. Two of the
	// rows may have taken the same claim, so its id is not enough.
	lost map[string]bool
}

// writes omits the named claims. The transaction writes them already, and must not contain
// an item twice.
func (c *claimRelease) writes(op *operation, rows []row, named ...claimID) []write {
	var writes []write
	for _, r := range rows {
		id, version := r.claim(), r.text(attrClaimVersion)
		if id == "" || slices.Contains(named, id) || c.lost[version] {
			continue
		}
		named = append(named, id)
		writes = append(writes, op.deleteWrite(id.key(), ownedOrGone(r.key()), func(item) {
			if c.lost == nil {
				c.lost = make(map[string]bool)
			}
			c.lost[version] = true
		}))
	}
	return writes
}

const (
	paramOwnerUserID   param = "ownerUserId"
	paramOwnerDeviceID param = "ownerDeviceId"
)

// ownedOrGone requires the claim to be the owner's, or not to exist.
func ownedOrGone(owner tokens.Key) guard {
	return guard{
		condition: notExists().Or(expression.And(
			attribute(attrOwnerUserID).Equal(hole(paramOwnerUserID)),
			attribute(attrOwnerDeviceID).Equal(hole(paramOwnerDeviceID)))),
		args: []arg{
			{paramOwnerUserID, stringValue(string(owner.UserID))},
			{paramOwnerDeviceID, stringValue(string(owner.DeviceID))},
		},
	}
}
