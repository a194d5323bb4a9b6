// Package sidebyside makes the same random calls on memstore and another store. Few
// users, devices and tokens cause many conflicts. The clock moves forward by a
// millisecond to more than the TTL, and back by little. DynamoDB's TTL, or a purge,
// removes expired items at random. Each result of the stores
// must be equal, and in the end each stored row. memstore is the model, because it is
// the simplest.
//
// `make long` plays many more sequences than the tests do.
//
// The clock does not go back so far that an expired registration becomes live again,
// because a store may have removed it already.
package sidebyside
