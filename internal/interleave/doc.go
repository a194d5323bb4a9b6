// Package interleave tests package dynamostore by controlled interleaving, on
// DynamoDB Local: a transport lets one request through at a time, in an order
// that a seed decides.
//
// A schedule runs a few concurrent operations of few users and devices, which use the
// same few tokens in all spellings. The table also has rows of the earlier service,
// some with the same token and some that cannot be decoded. The device limit is small.
// Servers differ in their TTL, and by minutes in their clocks. Between two requests the
// clock may move, often to a second at which a row expires, and TTL may remove an
// expired registration or claim. Requests and responses are lost, retried like the SDK
// retries them, delivered after their sender has given up, or rejected with a conflict.
//
// After each write the package reads the whole table, checks the invariants, and checks
// that the operation changed only its own rows. It compares each result with the table
// at the time of the result. An operation without interference must end, and at the end
// of a schedule each user must be able to register every token again in few calls.
//
// A seed reproduces its schedule:
//
//	go test ./internal/interleave -interleave.seed=42 -interleave.schedules=1 -v
//	go test ./internal/interleave -interleave.seed=1000 -interleave.schedules=5000 -timeout=2h
//
// A seed gives another schedule when the generator changes. TestScripts therefore has
// schedules that found an error, and rare ones, as scripts.
//
// make ablation tests the package itself. It removes one rule of package dynamostore at a
// time, by an edit of one declaration with go build -overlay, and expects a violation.
// The same schedule must find no violation with the rule. An ordinary test checks that
// each edit still applies.
package interleave
