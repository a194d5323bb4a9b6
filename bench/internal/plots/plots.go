// Package plots draws the plots of docs/benchmarks.md from the recorded results,
// and from nothing else: a test fails when a plot is not what they give.
package plots

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/devicetokens/devicetokens/internal/figures"
)

// Folder is where the plots are, from the root of the repository.
const Folder = "docs/plots"

// Draw returns the plots, by the name of their file.
func Draw(results fs.FS) (map[string][]byte, error) {
	files := make(map[string][]byte)
	for name, drawn := range map[string]func(fs.FS) (*vgsvg.Canvas, error){
		"bench-growth.svg": growth,
		"bench-ratios.svg": ratios,
		"bench-load.svg":   load,
	} {
		canvas, err := drawn(results)
		if err != nil {
			return nil, fmt.Errorf("plots: %s: %w", name, err)
		}
		var b bytes.Buffer
		if _, err := canvas.WriteTo(&b); err != nil {
			return nil, fmt.Errorf("plots: %s: %w", name, err)
		}
		files[name] = b.Bytes()
	}
	return files, nil
}

// Write draws the plots into a folder.
func Write(results fs.FS, folder string) error {
	files, err := Draw(results)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// A table is a recorded table whose cells are asked for by the name of the column.
type table struct{ figures.Table }

func read(results fs.FS, name, tableName string) (table, error) {
	result, err := figures.Read(results, name)
	if err != nil {
		return table{}, err
	}
	t, ok := result.Tables[tableName]
	if !ok {
		return table{}, fmt.Errorf("%s has no table %q", name, tableName)
	}
	return table{t}, nil
}

// text returns the cell of a row in the first column of that name.
func (t table) text(row []string, column string) (string, error) {
	for i, name := range t.Columns {
		if name == column {
			return row[i], nil
		}
	}
	return "", fmt.Errorf("there is no column %q", column)
}

// numbers returns the numbers in a cell: "1,000" is one and "0.86 (0.84–0.88)" are
// three.
func (t table) numbers(row []string, column string) ([]float64, error) {
	text, err := t.text(row, column)
	if err != nil {
		return nil, err
	}
	var numbers []float64
	for field := range strings.FieldsFuncSeq(strings.ReplaceAll(text, ",", ""), func(r rune) bool { return strings.ContainsRune(" (–)", r) }) {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", column, err)
		}
		numbers = append(numbers, n)
	}
	if len(numbers) == 0 {
		return nil, fmt.Errorf("column %q has an empty cell", column)
	}
	return numbers, nil
}

// distinct returns the values of a column in the order of their first rows.
func (t table) distinct(column string) ([]string, error) {
	var values []string
	seen := make(map[string]bool)
	for _, row := range t.Rows {
		value, err := t.text(row, column)
		if err != nil {
			return nil, err
		}
		if !seen[value] {
			values = append(values, value)
		}
		seen[value] = true
	}
	return values, nil
}
