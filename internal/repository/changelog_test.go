package repository

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestChangelog checks the form of Keep a Changelog: first the unreleased changes, then
// one entry with a date for each release, the newest first, with the standard kinds of
// changes.
func TestChangelog(t *testing.T) {
	_, text, _ := strings.Cut(read(t, filepath.Join(root, "CHANGELOG.md")), "\n## ")
	entries := strings.Split(text, "\n## ")
	if title, _, _ := strings.Cut(entries[0], "\n"); title != "[Unreleased]" {
		t.Errorf("the first entry is %q, want [Unreleased]", title)
	}
	heading := regexp.MustCompile(`^\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)$`)
	kinds := []string{"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
	var last []int
	var lastDate time.Time
	for _, entry := range entries[1:] {
		title, changes, _ := strings.Cut(entry, "\n")
		match := heading.FindStringSubmatch(title)
		if match == nil {
			t.Errorf("entry %q has no version and date", title)
			continue
		}
		var version []int
		for _, number := range match[1:4] {
			n, _ := strconv.Atoi(number)
			version = append(version, n)
		}
		date, err := time.Parse(time.DateOnly, match[4])
		if err != nil {
			t.Errorf("entry %q: %v", title, err)
		}
		if last != nil && (slices.Compare(version, last) >= 0 || date.After(lastDate)) {
			t.Errorf("entry %q is newer than the one above it", title)
		}
		last, lastDate = version, date
		if !strings.Contains(changes, "\n- ") {
			t.Errorf("entry %q names no change", title)
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(kinds, match[1]) {
			t.Errorf("%q is no kind of change", match[1])
		}
	}
}
