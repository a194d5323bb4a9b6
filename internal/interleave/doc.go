// Package interleave tests package dynamostore by controlled interleaving, on
// DynamoDB Local: a transport lets one request through at a time, in an order
// that a seed decides.
//
// A schedule has a few operations under way at once, of few users and devices
// that want the same few tokens, in all their spellings. Older rows are in the
// table, some with one token, some that cannot be read. The device limit is
// small. Servers differ in their TTL, and by minutes in their clocks. Between any
// two requests the clock may move, often to a second at which something expires,
// and TTL may remove an expired registration or claim, one at a time.
// Requests and answers are lost, repeated as the SDK repeats them, delivered
// after their sender has given up, or refused for a conflict.
//
// After each write the whole table is read, and its invariants are checked, and
// that nothing was changed that was not the operation's business. Each answer is
// compared with the table as it was when the answer was given. An operation that
// is let alone has to end, and at the end of a schedule each user has to be able
// to register every token again, in few calls.
//
// A seed reproduces its schedule:
//
//	go test ./internal/interleave -interleave.seed=42 -interleave.schedules=1 -v
//	go test ./internal/interleave -interleave.seed=1000 -interleave.schedules=5000 -timeout=2h
//
// A seed means another schedule as soon as the generator changes. So what was found
// once, and what random schedules come to too seldom, is kept as a script: see
// TestScripts.
//
// make ablation shows that all this detects the mistakes that it is meant to
// detect. It leaves out one rule of package dynamostore at a time, by an edit of
// one declaration that the compiler reads in place of the source file (go build
// -overlay), and expects a violation. The same schedule must find none with the
// rule. An ordinary test checks that each edit still applies.
package interleave
