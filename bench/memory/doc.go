// Package memory measures memstore beside the least that could keep tokens at
// one owner each, a pair of maps with one mutex (the [Floor]), and beside an
// index by github.com/hashicorp/go-memdb (the [MemDB]). What memstore takes above
// the floor is what the rest of the contract costs: the list of a user's
// devices, the limit on them, and their expiry.
//
// A test holds all three to the same answers in everything that is measured.
package memory
