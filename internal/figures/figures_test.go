package figures

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

// The documents show the last recorded results, and each of their tables is
// shown.
func TestDocuments(t *testing.T) {
	results := os.DirFS(filepath.Join(root, Results))
	paths, err := Files(root, ".md")
	if err != nil {
		t.Fatal(err)
	}
	shown := make(map[string]bool)
	for _, path := range paths {
		document, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		embedded, names, err := Embed(string(document), results)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if diff := cmp.Diff(embedded, string(document)); diff != "" {
			t.Errorf("%s is not what was measured; run `make figures` (-recorded +shown):\n%s", path, diff)
		}
		for _, name := range names {
			shown[name] = true
		}
	}
	recorded, err := filepath.Glob(filepath.Join(root, Results, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range recorded {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		result, err := Read(results, name)
		if err != nil {
			t.Error(err)
		}
		for table := range result.Tables {
			if !shown[name+"/"+table] {
				t.Errorf("no document shows %s/%s", name, table)
			}
		}
	}
}

func example() Result {
	return Result{Command: "make x", Machine: "a machine", Tables: map[string]Table{
		"speed": {Columns: []string{"operation", "ns", "ratio"}, Rows: [][]string{{"get", "81", "× 1.09"}, {"v2", "", "< 2"}}},
	}}
}

const want = `# Title

<!-- figures run/speed -->

| operation | ns | ratio |
| --- | ---: | ---: |
| get | 81 | × 1.09 |
| v2 |  | < 2 |

` + "`make x`, a machine." + `

<!-- figures end -->
Text.
`

func TestEmbed(t *testing.T) {
	folder := t.TempDir()
	if err := example().Write(folder, "run"); err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string]string{
		"for the first time": "# Title\n\n<!-- figures run/speed -->\n<!-- figures end -->\nText.\n",
		"again":              want,
		"over an old table":  strings.ReplaceAll(want, "81", "80"),
	} {
		t.Run(name, func(t *testing.T) {
			got, names, err := Embed(document, os.DirFS(folder))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"run/speed"}, names); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEmbedRefuses(t *testing.T) {
	folder := t.TempDir()
	if err := example().Write(folder, "run"); err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string]string{
		"no such result":       "<!-- figures other/speed -->\n<!-- figures end -->\n",
		"no such table":        "<!-- figures run/size -->\n<!-- figures end -->\n",
		"no end":               "<!-- figures run/speed -->\n",
		"end of the next mark": "<!-- figures run/speed -->\n<!-- figures run/speed -->\n<!-- figures end -->\n",
		"no slash":             "<!-- figures run speed -->\n<!-- figures end -->\n",
		"a space before it":    "# Title\n\n <!-- figures run/speed -->\n<!-- figures end -->\n",
		"another word":         "<!-- figure run/speed -->\n<!-- figures end -->\n",
		"an end too many":      "<!-- figures run/speed -->\n<!-- figures end -->\n<!-- figures end -->\n",
	} {
		if got, _, err := Embed(document, os.DirFS(folder)); err == nil {
			t.Errorf("%s: no error, and %q", name, got)
		}
	}
}

func TestResultRefuses(t *testing.T) {
	table := func(change func(*Table)) Result {
		r := example()
		speed := r.Tables["speed"]
		change(&speed)
		r.Tables["speed"] = speed
		return r
	}
	for name, result := range map[string]Result{
		"no command": {Machine: "a machine", Tables: example().Tables},
		"no machine": {Command: "make x", Tables: example().Tables},
		"no tables":  {Command: "make x", Machine: "a machine"},
		"no columns": table(func(t *Table) { t.Columns = nil }),
		"no rows":    table(func(t *Table) { t.Rows = nil }),
		"short row":  table(func(t *Table) { t.Rows[1] = t.Rows[1][:2] }),
		"a bar":      table(func(t *Table) { t.Rows[1][0] = "a|b" }),
		"two lines":  table(func(t *Table) { t.Columns[0] = "a\nb" }),
	} {
		folder := t.TempDir()
		if err := result.Write(folder, "run"); err == nil {
			t.Errorf("%s: written", name)
		}
		if left, _ := os.ReadDir(folder); len(left) != 0 {
			t.Errorf("%s: %v was left behind", name, left)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	folder := fstest.MapFS{
		"text.json":  {Data: []byte("not JSON")},
		"empty.json": {Data: []byte("{}")},
	}
	for _, name := range []string{"missing", "text", "empty"} {
		if _, err := Read(folder, name); err == nil {
			t.Errorf("%s.json was read", name)
		}
	}
}

// Update writes the documents of a whole repository, and leaves alone what tools
// have put there.
func TestUpdate(t *testing.T) {
	repository := t.TempDir()
	const marks = "# Title\n\n<!-- figures run/speed -->\n<!-- figures end -->\nText.\n"
	for _, folder := range []string{Results, "node_modules/x", ".cache"} {
		if err := os.MkdirAll(filepath.Join(repository, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := example().Write(filepath.Join(repository, Results), "run"); err != nil {
		t.Fatal(err)
	}
	expected := map[string]string{"README.md": want, "docs/page.md": want, "node_modules/x/README.md": marks, ".cache/README.md": marks}
	for path := range expected {
		if err := os.WriteFile(filepath.Join(repository, path), []byte(marks), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Update(repository); err != nil {
		t.Fatal(err)
	}
	for path, text := range expected {
		got, err := os.ReadFile(filepath.Join(repository, path))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestMachine(t *testing.T) {
	if machine := Machine(); !strings.Contains(machine, " CPUs") {
		t.Errorf("Machine() = %q", machine)
	}
}
