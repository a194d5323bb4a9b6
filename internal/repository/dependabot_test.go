package repository

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Dependabot looks into every folder that has dependencies of its own.
func TestDependabotCoversEveryFolder(t *testing.T) {
	want := map[string][]string{"github-actions": {"/"}}
	for ecosystem, name := range map[string]string{
		"gomod":     "go.mod",
		"maven":     "pom.xml",
		"npm":       "package-lock.json",
		"terraform": "versions.tf",
	} {
		for _, file := range files(t, filepath.Ext(name)) {
			if filepath.Base(file) == name {
				want[ecosystem] = append(want[ecosystem], folder(t, file))
			}
		}
		slices.Sort(want[ecosystem])
	}
	for _, file := range files(t, ".txt") {
		if strings.Contains(read(t, file), "--hash=sha256:") {
			want["pip"] = append(want["pip"], folder(t, file))
		}
	}
	want["pip"] = slices.Compact(want["pip"])
	got := map[string][]string{}
	entry := regexp.MustCompile(`- package-ecosystem: (\S+)\n +directories: \[(.*)\]\n`)
	for _, match := range entry.FindAllStringSubmatch(read(t, filepath.Join(root, ".github/dependabot.yml")), -1) {
		for _, quoted := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(match[2], -1) {
			got[match[1]] = append(got[match[1]], quoted[1])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("folders (-repository +dependabot.yml):\n%s", diff)
	}
}

// folder returns the file's folder as Dependabot has it, from the root of the repository.
func folder(t *testing.T, file string) string {
	t.Helper()
	from, err := filepath.Rel(root, filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	return path.Join("/", filepath.ToSlash(from))
}

// Every Python package is installed by its hash.
func TestPythonPackagesHaveHashes(t *testing.T) {
	lists, err := filepath.Glob(filepath.Join(root, "scripts/python/*.txt"))
	if err != nil || len(lists) == 0 {
		t.Fatalf("%d lists: %v", len(lists), err)
	}
	pinned := regexp.MustCompile(`(?m)^[a-z0-9._-]+==\S+( ; [^\n\\]*)? \\\n(    --hash=sha256:[0-9a-f]{64} \\\n)*    --hash=sha256:[0-9a-f]{64}\n`)
	for _, list := range lists {
		rest := pinned.ReplaceAllString(read(t, list), "")
		if rest = regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(rest, ""); rest != "" {
			t.Errorf("%s has lines without a version and a hash:\n%s", list, rest)
		}
	}
	// One installation without them would do.
	pip := regexp.MustCompile(`pip3?["']? (install|download)[^\n]*`)
	for _, script := range files(t, ".sh") {
		for _, line := range pip.FindAllString(read(t, script), -1) {
			if !regexp.MustCompile(`--require-hashes`).MatchString(line) {
				t.Errorf("%s: %s lacks --require-hashes", script, line)
			}
		}
	}
}
