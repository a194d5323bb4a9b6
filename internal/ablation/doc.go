// Package ablation shows that the controlled interleaving of package interleave
// detects the mistakes that it is meant to detect: it leaves out one rule of
// package dynamostore at a time and expects a violation.
//
// A rule is left out by editing one declaration of a source file. The compiler
// reads the edited copy (go build -overlay), and the work tree stays as it is. The
// same schedule must find no violation with the rule.
//
// All of it takes some minutes (make ablation). An ordinary test checks that each
// edit still applies.
package ablation
