// Mutation measures what the tests notice: it changes the code of the core
// packages at one place at a time, and expects a test to fail.
//
//	go run ./internal/mutation            # all groups; `make mutation`
//	go run ./internal/mutation tokens     # the groups that are named
//
// The compiler gets each changed file in place of the true one (go build
// -overlay), so that the work tree stays as it is. What it makes is a test
// binary, which is run afresh for each mutant: there is no cached result. A
// mutant is killed if a test fails. One that does not compile is none; one that
// runs out of time, or out of memory, is not killed.
//
// The well-known tools for Go take from the coverage which mutants to try. What
// no statement contains, such as the condition of a case or a constant, has no
// coverage, and they leave it out; here that is where many of the rules are.
//
// Each mutant that survives needs a judgement in survivors.json: that it is
// equivalent, or why a test for it is not worth having. Without one the command
// fails, and so it does where a group has less than 85 % killed.
package main
