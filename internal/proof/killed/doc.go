// Package killed checks what is left of registrations when DynamoDB dies. A
// DynamoDB Local with its data on disk is killed with SIGKILL under a load of
// random operations by several goroutines, and started again while they go on;
// then the whole table is read. It has to hold the invariants of package
// dynamostore, and everything that was acknowledged and not changed since.
// What was answered with [store.ErrTryAgain] may have happened or not.
//
// The calls go through the AWS SDK with its own retries, as in a service, so
// some of them begin before the kill and succeed after it. The client has no
// time-out: a call that fails has an engine that is dead, or that answered. So
// whatever a call does is done when it returns, also if that is with an error.
//
// DynamoDB Local keeps its data in SQLite. It was found to acknowledge a
// transaction a moment before it is safe: killed then, it forgets that one
// transaction, as a whole. TestEngine shows it with the SDK alone, and the check
// makes allowance for just that. A kill does not lose what the process has given
// to the operating system, as a loss of power may; and how AWS's own DynamoDB
// keeps data is not ours to test. What is tested is that requests may end
// anywhere, at any moment, and leave nothing half done.
package killed
