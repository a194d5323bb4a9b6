package repository

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMarkdownCodeIsCompiled checks that each block of Go in the documents is in a Go
// file of the repository, apart from its indentation.
func TestMarkdownCodeIsCompiled(t *testing.T) {
	var sources strings.Builder
	for _, path := range files(t, ".go") {
		sources.WriteString(unindent(read(t, path)))
	}
	compiled := sources.String()
	block := regexp.MustCompile("(?s)```go\n(.*?)```")
	blocks := 0
	for _, path := range files(t, ".md") {
		for _, match := range block.FindAllStringSubmatch(read(t, path), -1) {
			blocks++
			code := unindent(match[1])
			if strings.HasPrefix(code, "package main\n") && path == filepath.Join(root, "README.md") {
				continue // TestQuickStart runs it
			}
			if !strings.Contains(compiled, code) {
				t.Errorf("%s: this code is in no Go file:\n%s", path, match[1])
			}
		}
	}
	if blocks < 2 {
		t.Errorf("found %d blocks of Go, want more", blocks)
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`)
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestMarkdownLinks checks that links between the documents lead to a file, and to a
// heading in it.
func TestMarkdownLinks(t *testing.T) {
	for _, path := range files(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(read(t, path), -1) {
			if strings.Contains(match[1], ":") {
				continue
			}
			target := path
			if match[1] != "" {
				target = filepath.Join(filepath.Dir(path), match[1])
			}
			info, err := os.Stat(target)
			if err != nil {
				t.Errorf("%s: link to %s: %v", path, match[1], err)
				continue
			}
			if match[2] == "" || info.IsDir() || filepath.Ext(target) != ".md" {
				continue
			}
			var anchors []string
			for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllString(read(t, target), ""), -1) {
				anchors = append(anchors, "#"+strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
			}
			if !slices.Contains(anchors, match[2]) {
				t.Errorf("%s: %s has no heading %s", path, target, match[2])
			}
		}
	}
}

// The files that documents name by their path from the top of the repository are there.
func TestMarkdownNamesFiles(t *testing.T) {
	file := regexp.MustCompile("`((?:dynamostore|examples|httpapi|infrastructure|internal|memstore|sqlstore|store|tokens)/[a-z0-9_/.-]+\\.[a-z]+)`")
	named := 0
	for _, path := range files(t, ".md") {
		for _, match := range file.FindAllStringSubmatch(read(t, path), -1) {
			named++
			if _, err := os.Stat(filepath.Join(root, match[1])); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if named < 15 {
		t.Errorf("%d files were found, want more: are documents written otherwise now?", named)
	}
}

// root is the top folder of the repository.
const root = "../.."

// files returns the files of the repository with that extension, without hidden folders
// and node_modules.
func files(t *testing.T, ext string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || path != root && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case filepath.Ext(path) == ext:
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func unindent(code string) string {
	lines := strings.Split(strings.TrimSpace(code), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}

var (
	testName  = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)`")
	checkName = regexp.MustCompile("`((?:Register|Move|Limit|Eviction|Get|List|Holder|Deactivate|Invalidate|Delete|DeleteUser" +
		"|Expiry|Clock|Keys|Values|Invalid|Context|Race)/[A-Z]\\w*)`")
)

// TestMarkdownNamesTests checks that the tests and the checks of store/storetest that
// documents name exist.
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
				t.Errorf("%s names %s, which does not exist", path, match[1])
			}
		}
		for _, match := range checkName.FindAllStringSubmatch(text, -1) {
			named++
			if !strings.Contains(source, `"`+match[1]+`"`) {
				t.Errorf("%s names the check %s, which does not exist", path, match[1])
			}
		}
	}
	if named < 50 {
		t.Errorf("found %d names, want more: adapt the expressions to the documents", named)
	}
}

// Commands in documents exist: targets of make, programs of the examples with
// their flags, and the commands of admin.
func TestMarkdownCommands(t *testing.T) {
	targets := read(t, filepath.Join(root, "Makefile"))
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
				command, _, _ := strings.Cut(match[2], " ")
				if match[1] == "admin" && !strings.Contains(source, `"`+command+`"`) && !strings.Contains(source, `"`+command+" ") {
					t.Errorf("%s: admin has no command %s", path, command)
				}
			}
		}
	}
	if found < 60 {
		t.Errorf("found %d commands, want more: adapt the expressions to the documents", found)
	}
}

// TestChangelog checks the form of Keep a Changelog: first the unreleased changes, then
// one entry with a date for each release, the newest first, with the standard kinds of
// changes.
func TestChangelog(t *testing.T) {
	text := read(t, filepath.Join(root, "CHANGELOG.md"))
	var dates []string
	for _, match := range regexp.MustCompile(`(?m)^## (?:\[Unreleased\]|\[\d+\.\d+\.\d+\] - (\d{4}-\d\d-\d\d))$`).FindAllStringSubmatch(text, -1) {
		dates = append(dates, match[1])
	}
	newestFirst := func(a, b string) int { return strings.Compare(b, a) }
	if len(dates) == 0 || len(dates) != strings.Count(text, "\n## ") || dates[0] != "" || !slices.IsSortedFunc(dates[1:], newestFirst) || slices.Contains(dates[1:], "") {
		t.Errorf("the entries are of %q: begin with [Unreleased], then give each [X.Y.Z] - YYYY-MM-DD, the newest first", dates)
	}
	kinds := []string{"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
	for _, match := range regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(kinds, match[1]) {
			t.Errorf("%q is no kind of change: use one of %q", match[1], kinds)
		}
	}
}
