package dynamostore_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestREADMECosts holds the costs in the README to what TestCosts counts.
func TestREADMECosts(t *testing.T) {
	var b strings.Builder
	b.WriteString("| | calls | write units | read units |\n| --- | ---: | ---: | ---: |\n")
	for _, row := range []struct{ what, path string }{
		{"the app starts, nothing changed", "Register, the same token"},
		{"the same, once in 29 days", "Register, the same token, once in 29 days"},
		{"a new device", "Register, new"},
		{"a phone changes hands", "Register, moves to a new device"},
		{"list a user's tokens", "List"},
		{"log out", "Deactivate"},
	} {
		path := pathNamed(t, row.path)
		writes, reads := path.units(t)
		fmt.Fprintf(&b, "| %s | %d | %v | %v |\n", row.what, len(path.calls), writes, reads)
	}
	generatedRegion(t, "../README.md", "costs", b.String())
}
