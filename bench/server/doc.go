// Package server measures httpapi beside a handler that decodes a body, stores it
// and encodes the answer, by the standard library and in the fewest lines. Both
// store in a memstore, know their caller by a header, and write no log.
//
// A test holds them to the same answers, and the number of httpapi's allocations
// to at most 1.15 times the bare handler's. Times depend on the machine.
package server
