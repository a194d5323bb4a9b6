// Package leak traces tokens and user ids through what a program tells the
// outside: log lines, problems, metrics, panics and errors.
//
// A [Trace] looks for them in a text, in any of the forms in which programs write
// a string. [Store] puts one around a store, and so around every check of the
// suite that each store passes. The command scan looks through all that the tests
// printed.
package leak
