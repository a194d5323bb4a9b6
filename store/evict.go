package store

import (
	"cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

// EvictionOrder orders a user's registrations as the device limit removes them,
// for whoever implements a [Store]: inactive ones first, then by oldest
// UpdatedAt, then by smallest device id (bytes). It is negative if a goes before
// b, as [slices.SortFunc] wants it, and 0 only for a registration and itself.
func EvictionOrder(a, b tokens.Registration) int {
	if a.Active() != b.Active() {
		if b.Active() {
			return -1
		}
		return 1
	}
	return cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.Key.DeviceID, b.Key.DeviceID))
}
