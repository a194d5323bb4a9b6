// Package server compares httpapi with a bare handler that decodes a body, stores
// it and encodes the answer, by the standard library and in the fewest lines. Both
// store in a memstore, read the user id from a header, and write no log.
//
// Tests hold them to the same answers, and bound httpapi's allocations by those of
// the bare handler.
package server
