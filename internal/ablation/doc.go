// Package ablation shows that the controlled interleaving of package interleave
// finds what it is for: it leaves each rule of package dynamostore out in turn,
// and expects a violation.
//
// A rule is left out by a small change to the text of a source file, which the
// compiler gets in place of the file (go build -overlay); the work tree stays as
// it is. The violation has to be of the rule: the same schedule must find none in
// the store as it is.
//
// To run it takes some minutes (`make ablation`). That each change still applies
// is an ordinary test.
package ablation
