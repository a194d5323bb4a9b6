package dynamostore_test

import (
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestImport imports over each item that an import can replace, and checks the rows and
// the claims. The last one expires as late as possible.
func TestImport(t *testing.T) {
	updatedAt := worldStart.Add(time.Hour)
	for name, given := range map[string]func(w *world){
		"over nothing":                nothing,
		"over another token":          has(alice, tokenB),
		"over itself":                 has(alice, tokenA),
		"over another user's":         has(bob, tokenA),
		"over both":                   both(has(alice, tokenB), has(bob, tokenA)),
		"over a claim left behind":    both(has(bob, tokenA), has(bob, tokenB)),
		"at the end of the year 9999": nothing,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, store.Policy{})
			given(w)
			w.now = updatedAt.Add(time.Hour)
			imported := tokens.Registration{
				Key: alice, Token: tokenA, Platform: tokens.IOS, Status: tokens.Active,
				RegisteredAt: worldStart, UpdatedAt: updatedAt, ExpiresAt: worldStart.Add(store.DefaultTTL).Truncate(time.Second),
			}
			last := name == "at the end of the year 9999"
			if last {
				imported.ExpiresAt = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
			}
			got, err := w.clean.Import(t.Context(), imported)
			w.do(err)
			equal(t, "outcome", store.Imported, got)
			stored := w.holder(tokenA)
			equal(t, "stored", imported, stored)
			w.look()
			if !last { // whose claim cannot expire later
				w.check()
			}
			equal(t, "rows without their claim", 0, w.upgrade(dynamostore.UpgradeOptions{DryRun: true}).Unclaimed)
			equal(t, "outcome of a refresh", store.Refreshed, w.register(alice, tokenA).Outcome)
		})
	}
}
