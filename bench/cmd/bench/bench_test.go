package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/internal/figures"
)

func TestCells(t *testing.T) {
	for want, got := range map[string]string{
		"0.12":             three(0.1234),
		"1.23":             three(1.234),
		"12.3":             three(12.34),
		"123":              three(123.4),
		"1234":             three(1234.4),
		"1":                thousands(1),
		"100,000":          thousands(100_000),
		"1,000,000":        thousands(1_000_000),
		"2.00":             ratio([]float64{2, 4}, []float64{1, 2}),
		"2.00 (1.00–3.00)": ratio([]float64{1, 2, 2, 2, 2, 3}, []float64{1, 1, 1, 1, 1, 1}),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A result names the command that makes it again, and no longer one.
func TestCommand(t *testing.T) {
	for want, got := range map[string]string{
		"make bench BENCHONLY=load":                   command("load", usualRounds),
		"make bench BENCHONLY=httpapi BENCHROUNDS=12": command("httpapi", 12),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A part that is misspelled is not taken for none.
func TestUnknownPart(t *testing.T) {
	if err := run(t.Context(), t.TempDir(), "load,htpapi", 1); err == nil || !strings.Contains(err.Error(), `"htpapi"`) {
		t.Errorf("got %v, want an error that names the part", err)
	}
}

// The summary is that of the last recorded results.
func TestSummary(t *testing.T) {
	recorded := filepath.Join("../../..", figures.Results)
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(recorded)); err != nil {
		t.Fatal(err)
	}
	if err := summarize(folder); err != nil {
		t.Fatal(err)
	}
	want, err := figures.Read(os.DirFS(folder), "bench-summary")
	if err != nil {
		t.Fatal(err)
	}
	got, err := figures.Read(os.DirFS(recorded), "bench-summary")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bench-summary.json is not what was measured; run `make bench-plots` (-measured +recorded):\n%s", diff)
	}
}
