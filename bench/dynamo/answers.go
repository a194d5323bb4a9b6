package dynamo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

const table = "device-tokens"

// devices is how many registrations the listed user has: as many as the default
// policy allows.
const devices = 20

// What the app says and the server's clock shows, in each run.
var (
	user  = tokens.UserID("7c9e6679-7425-40de-944b-e07fc1f90ae7")
	now   = time.Date(2026, time.November, 23, 9, 26, 53, 589_000_000, time.UTC)
	first = now.Add(-40 * 24 * time.Hour)

	request = tokens.Request{
		Key:       tokens.Key{UserID: user, DeviceID: device(0)},
		Token:     tokens.MustParseToken(token(0)),
		Platform:  tokens.IOS,
		ProjectID: "0f9a3b52-6f5e-4b8e-9d0c-2f6f1f1c6d2e",
	}
)

func device(i int) tokens.DeviceID {
	return tokens.DeviceID(fmt.Sprintf("%08X-1B4E-4C3D-9A5F-6E7D8C9B0A1F", i))
}

func token(i int) string { return fmt.Sprintf("ExponentPushToken[%022d]", i) }

// refreshed is what the refresh leaves of a registration that was there since
// registeredAt.
func refreshed(registeredAt time.Time) tokens.Registration {
	return tokens.Registration{
		Key:          request.Key,
		Token:        request.Token,
		Platform:     request.Platform,
		ProjectID:    request.ProjectID,
		Status:       tokens.Active,
		RegisteredAt: registeredAt,
		UpdatedAt:    now,
		ExpiresAt:    now.Add(ttl).Truncate(time.Second),
	}
}

// before are the user's registrations before the refresh, all of a day ago.
func before() []tokens.Registration {
	regs := make([]tokens.Registration, devices)
	for i := range regs {
		regs[i] = refreshed(first)
		regs[i].Key.DeviceID, regs[i].Token = device(i), tokens.MustParseToken(token(i))
		regs[i].UpdatedAt = regs[i].UpdatedAt.Add(-24 * time.Hour)
		regs[i].ExpiresAt = regs[i].ExpiresAt.Add(-24 * time.Hour)
	}
	return regs
}

// answers are DynamoDB's, in its wire format.
func answers() map[string][]byte {
	rows := make([]any, devices)
	for i, reg := range before() {
		rows[i] = stored(reg)
	}
	return map[string][]byte{
		"UpdateItem": encode(map[string]any{
			"Attributes":       stored(before()[0]),
			"ConsumedCapacity": map[string]any{"TableName": table, "CapacityUnits": 1},
		}),
		"Query": encode(map[string]any{
			"Items": rows, "Count": devices, "ScannedCount": devices,
			"ConsumedCapacity": map[string]any{"TableName": table, "CapacityUnits": 3},
		}),
	}
}

// stored is the item of a registration, with what dynamostore stores beside it.
func stored(r tokens.Registration) map[string]any {
	text := func(s string) any { return map[string]string{"S": s} }
	seconds := func(t time.Time) any { return map[string]string{"N": strconv.FormatInt(t.Unix(), 10)} }
	return map[string]any{
		"userId":         text(string(r.Key.UserID)),
		"deviceId":       text(string(r.Key.DeviceID)),
		"expoPushToken":  text(r.Token.Reveal()),
		"platform":       text(string(r.Platform)),
		"projectId":      text(string(r.ProjectID)),
		"isActive":       map[string]bool{"BOOL": true},
		"registeredAt":   text(r.RegisteredAt.Format(timeFormat)),
		"updatedAt":      text(r.UpdatedAt.Format(timeFormat)),
		"expiresAt":      seconds(r.ExpiresAt),
		"claimVersion":   text("k0yA4n0rHjqvDqLdZ2e4bw"),
		"claimExpiresAt": seconds(r.ExpiresAt.Add(30 * 24 * time.Hour)),
	}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
