package repository

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Commands in documents exist: targets of make, programs of the examples, and the
// commands and flags of admin. The README of admin has what its --help prints,
// which a test there checks.
func TestMarkdownCommands(t *testing.T) {
	targets := read(t, filepath.Join(root, "Makefile")) + read(t, filepath.Join(root, "infrastructure/infra.mk"))
	admin := read(t, filepath.Join(root, "examples/admin/README.md"))
	var source strings.Builder
	for _, path := range files(t, ".go") {
		if filepath.Base(filepath.Dir(path)) == "admin" {
			source.WriteString(read(t, path))
		}
	}
	var (
		makes    = regexp.MustCompile("(?m)(?:^|`|&& )make ([a-z][a-z-]*)")
		programs = regexp.MustCompile(`go -C examples (?:run|install|build|test) (?:-\S+ )*\./([a-z]+)`)
		admins   = regexp.MustCompile("(?m)(?:^|`)admin ([a-z]+)([^`\n]*)")
		flag     = regexp.MustCompile(`--([a-z][a-z-]*)`)
		found    int
	)
	for _, path := range files(t, ".md") {
		text := read(t, path)
		for _, match := range makes.FindAllStringSubmatch(text, -1) {
			found++
			if !strings.Contains(targets, "\n"+match[1]+":") {
				t.Errorf("%s: there is no target %s", path, match[1])
			}
		}
		for _, match := range programs.FindAllStringSubmatch(text, -1) {
			found++
			if _, err := os.Stat(filepath.Join(root, "examples", match[1])); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		for _, match := range admins.FindAllStringSubmatch(text, -1) {
			found++
			if !strings.Contains(admin, "\n  "+match[1]+" ") {
				t.Errorf("%s: admin has no command %s", path, match[1])
			}
			for _, name := range flag.FindAllStringSubmatch(match[2], -1) {
				if !strings.Contains(source.String(), `"`+name[1]+`"`) {
					t.Errorf("%s: admin %s has no flag %s", path, match[1], name[0])
				}
			}
		}
	}
	if found < 60 {
		t.Errorf("%d commands were found, want more: are documents written otherwise now?", found)
	}
}
