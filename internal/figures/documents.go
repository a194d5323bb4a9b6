package figures

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Results is the folder of the results, from the root of the repository.
const Results = "docs/results"

// Files returns the files of a repository with that extension, as paths from its
// root. What tools have put there, in hidden folders and in node_modules, is left
// out.
func Files(root, ext string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || path != root && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case filepath.Ext(path) == ext:
			relative, err := filepath.Rel(root, path)
			paths = append(paths, relative)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	return paths, nil
}

// Update embeds the results into every document of the repository at root.
func Update(root string) error {
	paths, err := Files(root, ".md")
	if err != nil {
		return err
	}
	for _, path := range paths {
		full := filepath.Join(root, path)
		document, err := os.ReadFile(full)
		if err != nil {
			return fmt.Errorf("figures: %w", err)
		}
		embedded, _, err := Embed(string(document), os.DirFS(filepath.Join(root, Results)))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if embedded == string(document) {
			continue
		}
		if err := os.WriteFile(full, []byte(embedded), 0o644); err != nil {
			return fmt.Errorf("figures: %w", err)
		}
	}
	return nil
}
