package store

import (
	"cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

// EvictionOrder compares two registrations of a user for [slices.SortFunc], in the
// order in which the device limit removes them: inactive ones first, then by
// oldest UpdatedAt, then by smallest device id (bytes). Implementations of [Store]
// use it. It returns 0 only for the same device.
func EvictionOrder(a, b tokens.Registration) int {
	if a.Active() != b.Active() {
		if b.Active() {
			return -1
		}
		return 1
	}
	return cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.Key.DeviceID, b.Key.DeviceID))
}
