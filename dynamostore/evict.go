package dynamostore

import (
	"slices"

	"github.com/devicetokens/devicetokens/store"
)

// maxLeftovers keeps a transaction below DynamoDB's limit of 100 items: the
// claim, the registration, its old claim, the previous holder, and two for each
// eviction are 84.
const maxLeftovers = 100 - 4 - 2*store.MaxEvictions

// makeRoom returns the user's other rows that go: those that have the token too
// (older rows, written without claims), and for a new device those above the
// limit, which it notes in the result.
func (t *taking) makeRoom() []row {
	if t.own.live(t.now) {
		return nil
	}
	var gone, candidates []row
	for _, r := range t.devices {
		switch {
		case t.removesPrevious() && r.key() == t.claim.owner:
		case r.holds(t.spelled):
			if len(gone) < maxLeftovers {
				gone = append(gone, r)
			}
		case r.live(t.now):
			candidates = append(candidates, r)
		}
	}
	excess := len(candidates) + 1 - t.op.policy.MaxDevices
	if excess <= 0 {
		return gone
	}
	slices.SortFunc(candidates, func(a, b row) int { return store.EvictionOrder(a.reg, b.reg) })
	for _, r := range candidates[:min(excess, store.MaxEvictions)] {
		t.result.Evicted = append(t.result.Evicted, r.reg.Key)
		gone = append(gone, r)
	}
	return gone
}
