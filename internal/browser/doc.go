// Package browser tests the pages of examples/local and examples/admin in a
// Chromium. See the tests; there is nothing to import.
package browser
