package figures

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Result is what one run of one command measured.
type Result struct {
	Command string           `json:"command"` // what makes these figures again, for example "make bench"
	Machine string           `json:"machine"` // what it ran on: see Machine
	Tables  map[string]Table `json:"tables"`
}

// Table is a table as a document shows it. Its cells are finished: rounded, and
// with their units where the column does not name one.
type Table struct {
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// Machine describes the machine that this process runs on. Its load tells how
// far times are to be trusted; it is left out where the system does not tell it.
func Machine() string {
	machine := fmt.Sprintf("%s on %s/%s, %d CPUs", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		if load, _, ok := strings.Cut(string(text), " "); ok {
			machine += ", load " + load
		}
	}
	return machine
}

// Write records a result as NAME.json in a folder. It replaces the file at once,
// so that a run that is broken off leaves the last result whole.
func (r Result) Write(folder, name string) error {
	if err := r.validate(); err != nil {
		return fmt.Errorf("figures: %s: %w", name, err)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("figures: %s: %w", name, err)
	}
	path := filepath.Join(folder, name+".json")
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	return nil
}

// Read returns the result called name in a folder.
func Read(folder fs.FS, name string) (Result, error) {
	text, err := fs.ReadFile(folder, name+".json")
	if err != nil {
		return Result{}, fmt.Errorf("figures: %w", err)
	}
	var r Result
	if err := json.Unmarshal(text, &r); err != nil {
		return Result{}, fmt.Errorf("figures: %s: %w", name, err)
	}
	if err := r.validate(); err != nil {
		return Result{}, fmt.Errorf("figures: %s: %w", name, err)
	}
	return r, nil
}

// validate refuses what would not come out as a table of Markdown.
func (r Result) validate() error {
	if r.Command == "" || r.Machine == "" {
		return fmt.Errorf("command and machine have to be set")
	}
	if len(r.Tables) == 0 {
		return fmt.Errorf("tables is empty")
	}
	for name, table := range r.Tables {
		if len(table.Columns) == 0 || len(table.Rows) == 0 {
			return fmt.Errorf("tables[%q] has no columns or no rows", name)
		}
		for i, row := range append([][]string{table.Columns}, table.Rows...) {
			if len(row) != len(table.Columns) {
				return fmt.Errorf("tables[%q].rows[%d] has %d cells, want %d", name, i-1, len(row), len(table.Columns))
			}
			for _, cell := range row {
				if strings.ContainsAny(cell, "|\n") {
					return fmt.Errorf("tables[%q] has a cell with a | or a line break: %q", name, cell)
				}
			}
		}
	}
	return nil
}
