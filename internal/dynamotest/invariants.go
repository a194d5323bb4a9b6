package dynamotest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// CheckInvariants returns the violations of these invariants in a table with the given
// items, for a reader at now:
//
//   - A live registration that package dynamostore wrote, which therefore has a
//     claimVersion, holds the claim on its token. The claim names the registration
//     as its owner, has its version, and expires after it, when it records.
//   - No two of those registrations have one token, in any spelling.
//   - A row with a claimVersion can be decoded, and so can each claim.
//
// Rows of the earlier service have no claims, and may share a token. An expired row may
// have lost its claim. CheckInvariants shares no code with the store.
func CheckInvariants(items []Item, now time.Time) []string {
	var wrong []string
	complain := func(i Item, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%q: ", keyText(i))+fmt.Sprintf(format, args...))
	}
	claims := make(map[string]Item)
	holders := make(map[string][]string) // by claim
	for _, i := range items {
		if user := Text(i, "userId"); strings.HasPrefix(user, "#") {
			claims[user] = i
			if Text(i, "ownerUserId") == "" || Text(i, "ownerDeviceId") == "" || Text(i, "version") == "" || Number(i, "expiresAt") == 0 {
				complain(i, "the claim lacks its owner, its version or its expiry")
			}
		}
	}
	for _, i := range items {
		_, upgraded := i["claimVersion"]
		if !upgraded || strings.HasPrefix(Text(i, "userId"), "#") {
			continue
		}
		expiresAt, claimExpiresAt := Number(i, "expiresAt"), Number(i, "claimExpiresAt")
		token, err := tokens.ParseToken(Text(i, "expoPushToken"))
		if err != nil || expiresAt == 0 || claimExpiresAt == 0 {
			complain(i, "the row lacks its token, its expiry or that of its claim")
			continue
		}
		if now.Unix() >= expiresAt {
			continue
		}
		hash := token.Hash()
		id := "#claim#1#" + base64.RawURLEncoding.EncodeToString(hash[:])
		holders[id] = append(holders[id], keyText(i))
		claim, ok := claims[id]
		if !ok {
			complain(i, "is live, and there is no claim on its token")
			continue
		}
		if owner := Text(claim, "ownerUserId") + "/" + Text(claim, "ownerDeviceId"); owner != keyText(i) {
			complain(i, "is live, and the claim on its token is that of %q", owner)
		}
		if Text(claim, "version") != Text(i, "claimVersion") {
			complain(i, "the version of its claim differs from the one in the row")
		}
		if Number(claim, "expiresAt") != claimExpiresAt {
			complain(i, "its claim expires at %d, and it records %d", Number(claim, "expiresAt"), claimExpiresAt)
		}
		if claimExpiresAt <= expiresAt {
			complain(i, "it expires at %d, and its claim not later, at %d", expiresAt, claimExpiresAt)
		}
	}
	for _, keys := range holders {
		if len(keys) > 1 {
			slices.Sort(keys)
			wrong = append(wrong, fmt.Sprintf("%q: are live and have one token", keys))
		}
	}
	slices.Sort(wrong)
	return wrong
}

func keyText(i Item) string {
	return Text(i, "userId") + "/" + Text(i, "deviceId")
}
