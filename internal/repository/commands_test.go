package repository

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Commands in documents exist: targets of make, programs of the examples with
// their flags, and the commands of admin. The README of admin has the output of
// its --help, which a test there checks.
func TestMarkdownCommands(t *testing.T) {
	targets := read(t, filepath.Join(root, "Makefile")) + read(t, filepath.Join(root, "infrastructure/infra.mk"))
	admin := read(t, filepath.Join(root, "examples/admin/README.md"))
	sources := map[string]string{} // of the programs in examples, by folder
	for _, path := range files(t, ".go") {
		if folder := filepath.Dir(path); filepath.Dir(folder) == filepath.Join(root, "examples") {
			sources[filepath.Base(folder)] += read(t, path)
		}
	}
	var (
		makes    = regexp.MustCompile("(?m)(?:^|`|&& )make ([a-z][a-z-]*)")
		programs = regexp.MustCompile("(?m)go (?:-C examples )?run \\./([a-z]+)([^`#\n]*)")
		notifies = regexp.MustCompile("(?m)^ *(notify)( -[^`#\n]*)")
		admins   = regexp.MustCompile("(?m)(?:^|`)(admin) ([a-z]+[^`#\n]*)")
		flag     = regexp.MustCompile(` --?([a-z][a-z-]+)`)
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
		for _, commands := range []*regexp.Regexp{programs, notifies, admins} {
			for _, match := range commands.FindAllStringSubmatch(text, -1) {
				found++
				source, ok := sources[match[1]]
				if !ok {
					t.Errorf("%s: there is no program %s", path, match[1])
				}
				for _, name := range flag.FindAllStringSubmatch(match[2], -1) {
					if !strings.Contains(source, `"`+name[1]+`"`) {
						t.Errorf("%s: %s has no flag %s", path, match[1], name[1])
					}
				}
				if command, _, _ := strings.Cut(match[2], " "); match[1] == "admin" && !strings.Contains(admin, "\n  "+command+" ") {
					t.Errorf("%s: admin has no command %s", path, command)
				}
			}
		}
	}
	if found < 60 {
		t.Errorf("%d commands were found, want more: are documents written otherwise now?", found)
	}
}
