package repository

import (
	"regexp"
	"strings"
	"testing"
)

var (
	testName  = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)`")
	checkName = regexp.MustCompile("`((?:Register|Move|Limit|Eviction|Get|List|Holder|Deactivate|Invalidate|Delete|DeleteUser" +
		"|Expiry|Clock|Keys|Values|Invalid|Context|Race)/[A-Z]\\w*)`")
)

// The tests that documents name, as what shows a statement, are there: functions
// of any module, and checks of store/storetest.
func TestMarkdownNamesTests(t *testing.T) {
	var all strings.Builder
	for _, path := range files(t, ".go") {
		all.WriteString(read(t, path))
	}
	source, named := all.String(), 0
	for _, path := range files(t, ".md") {
		text := read(t, path)
		for _, match := range testName.FindAllStringSubmatch(text, -1) {
			named++
			if !strings.Contains(source, "\nfunc "+match[1]+"(") {
				t.Errorf("%s names %s, which is nowhere", path, match[1])
			}
		}
		for _, match := range checkName.FindAllStringSubmatch(text, -1) {
			named++
			if !strings.Contains(source, `"`+match[1]+`"`) {
				t.Errorf("%s names the check %s, which is nowhere", path, match[1])
			}
		}
	}
	if named < 50 {
		t.Errorf("%d names were found, want more: are documents written otherwise now?", named)
	}
}
