package storetest

import (
	"github.com/devicetokens/devicetokens/tokens"
)

// process is what one handle remembers until it writes itself.
type process struct {
	lists map[tokens.UserID][]tokens.Registration
	got   map[tokens.Key]tokens.Registration
	held  map[tokens.Hash]tokens.Key
	none  map[tokens.Hash]bool
}

func (p *process) forget() {
	*p = process{
		lists: map[tokens.UserID][]tokens.Registration{},
		got:   map[tokens.Key]tokens.Registration{},
		held:  map[tokens.Hash]tokens.Key{},
		none:  map[tokens.Hash]bool{},
	}
}

// brokenHandles are stores that are right in one process.
var brokenHandles = []broken{
	{"caches lists in its process", []string{"Handles/ReadsAtOnce", "Handles/Sequence"}},
	{"caches registrations in its process", []string{"Handles/ReadsAtOnce"}},
	{"caches holders in its process", []string{"Handles/ReadsAtOnce"}},
	{"caches in its process that a token has no holder", []string{"Handles/ReadsAtOnce"}},
	{"keeps the limit of the first handle", []string{"Handles/LowerLimit"}},
	{"keeps the TTL of the first handle", []string{"Handles/OtherTTL"}},
	{"excludes other calls in its process only", []string{"Handles/Pairs"}},
}
