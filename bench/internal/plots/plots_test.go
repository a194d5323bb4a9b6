package plots

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/devicetokens/devicetokens/internal/figures"
)

const root = "../../.."

// The plots are those of the last recorded results, and there are no others.
func TestPlots(t *testing.T) {
	files, err := Draw(os.DirFS(filepath.Join(root, figures.Results)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, Folder, name))
		if err != nil {
			t.Error(err)
		} else if string(got) != string(want) {
			t.Errorf("%s is not what was measured; run `make bench-plots`", name)
		}
	}
	recorded, err := filepath.Glob(filepath.Join(root, Folder, "bench-*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(recorded) != len(files) {
		t.Errorf("there are %d plots, want %d", len(recorded), len(files))
	}
}
