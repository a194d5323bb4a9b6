// Command soak puts a server under a steady load of good clients and, for the
// middle half of its time, under clients that misbehave in every way it knows.
// It fails unless
//
//   - good clients get right answers all the time, and end with their own
//     registrations and nobody else's,
//   - the server itself ends each connection of a bad client, within the limit
//     that its time-outs set, and answers what it should,
//   - its memory stays bounded, also when more connections come at once than it
//     takes, and in the end holds what it held before,
//   - no goroutine is left,
//   - its log has neither an error nor a token in it,
//   - and, with -times, the p99 of good clients under misuse is within a few times
//     the quiet one of the same run.
//
// The server is examples/local as it is, in a process of its own, built with
// -tags debug so that its goroutines can be counted:
//
//	make soak
package main
