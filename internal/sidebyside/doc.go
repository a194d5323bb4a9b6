// Package sidebyside drives memstore and another store side by side: random calls, on
// few users, devices and tokens, which often meet, under a clock that goes
// forward by anything from a millisecond to more than the TTL and back by little,
// while DynamoDB's TTL removes expired items, or does not. Each result of the stores
// must be equal, and in the end each stored row. memstore is the model, because it is
// the simplest.
//
// `make long` plays many more sequences than the tests do.
//
// The clock goes back no further than to where nothing that had expired would be
// live again: there, a store that has removed it and one that has not may differ.
package sidebyside
