package httpexchanges

import (
	"iter"
	"maps"
	"slices"

	"github.com/devicetokens/devicetokens/tokens"
)

// All returns the whole table. Names are unique.
func All() []Exchange {
	return slices.Concat(successes(), refusedBodies(), refusedValues(), refusedQueries(), refusedRequests(), failures())
}

const (
	token      = "ExponentPushToken[" + secret + "]"
	respelled  = "ExpoPushToken[" + secret + "]"
	otherToken = "ExponentPushToken[" + secret + "2]"

	// valid is a body that is accepted; bodies that are not differ from it in one point.
	valid = `{"deviceId":"phone","expoPushToken":"` + token + `","platform":"ios"}`
)

func registered(owner tokens.UserID, device tokens.DeviceID, token string) tokens.Request {
	return tokens.Request{
		Key:      tokens.Key{UserID: owner, DeviceID: device},
		Token:    tokens.MustParseToken(token),
		Platform: tokens.IOS,
	}
}

// answered is a registration in an answer, made and refreshed at Now.
func answered(device, platform string) string {
	return `{"deviceId":"` + device + `","platform":"` + platform + `",` + answeredTimes + `}`
}

const answeredTimes = `"registeredAt":"2026-11-23T09:00:00.000Z",` +
	`"updatedAt":"2026-11-23T09:00:00.000Z","expiresAt":"2027-02-21T09:00:00.000Z"`

// inOrder ranges over m by its keys, so that the table is the same each time.
func inOrder[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}
