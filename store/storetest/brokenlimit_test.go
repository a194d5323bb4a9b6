package storetest

var brokenLimit = []broken{
	{"ignores Policy.MaxDevices", []string{"Limit/Exact", "Limit/One"}},
	{"has a default limit of its own", []string{"Limit/Default"}},
	{"allows one device too many", []string{"Limit/Exact", "Limit/One", "Limit/Default"}},
	{"has one limit for all users", []string{"Limit/PerUser"}},
	{"makes room for a refresh", []string{"Limit/OnlyNewDevicesEvict"}},
	{"counts active devices only", []string{"Limit/InactiveCount"}},
	{"counts what has expired", []string{"Limit/ExpiredDoNotCount"}},
	{"counts the row that is written over", []string{"Limit/OwnExpiredIsNewDevice"}},
	{"counts the previous holder", []string{"Limit/Reinstalled"}},
	{"forgets the limit when a token moves", []string{"Limit/MoveAndEvict"}},

	{"evicts the newcomer", []string{"Limit/Exact", "Eviction/NeverTheNewcomer"}},
	{"evicts live devices before logged-out ones", []string{"Eviction/InactiveFirst"}},
	{"evicts inactive devices by device id", []string{"Eviction/OldestUpdateOfInactive"}},
	{"evicts the device that was updated last", []string{"Eviction/OldestUpdate"}},
	{"evicts the device that was registered first", []string{"Eviction/OldestUpdate"}},
	{"evicts the greatest device id", []string{"Eviction/SmallestDeviceID"}},
	{"evicts by device id without regard to case", []string{"Eviction/SmallestDeviceID"}},
	{"evicts more than forty at once", []string{"Eviction/AtMostForty"}},
	{"evicts one at a time", []string{"Eviction/AtMostForty"}},
	{"tells of no eviction", []string{"Limit/Exact"}},
	{"tells of evictions by device id", []string{"Eviction/AtMostForty"}},
	{"hands out its queue of devices", []string{"Values/OfEvicted"}},

	{"counts, then writes", []string{"Race/Limit"}},
}
