// Package sidebyside drives memstore and another store side by side: random calls, on
// few users, devices and tokens, which often meet, under a clock that goes
// forward by anything from a millisecond to more than the TTL and back by little,
// while DynamoDB's TTL removes what is expired, or does not. Each answer of the
// one has to be that of the other, and in the end so does each row that is
// stored. memstore is the readable one, and so the model.
//
// `make long` plays many more sequences than the tests do.
//
// The clock goes back no further than to where nothing that had expired would be
// live again: there, a store that has removed it and one that has not may differ.
package sidebyside
