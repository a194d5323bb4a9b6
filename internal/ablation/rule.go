package ablation

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A rule is what package dynamostore does for a reason.
type rule struct {
	name string
	// file is the source file that has it, and edits leave it out.
	file  string
	edits []edit
	// seed is that of the first schedule to play; a later one than the first for
	// a rule that shows late, to save time.
	seed uint64
	// script names the scripted schedule that is played instead, for what random
	// ones come to too seldom.
	script string
}

// An edit replaces a text that the file has exactly once.
type edit struct{ old, new string }

// folder is that of package dynamostore.
const folder = "../../dynamostore"

// without returns the text of the rule's file with the rule left out.
func (r rule) without() (string, error) {
	b, err := os.ReadFile(filepath.Join(folder, r.file))
	if err != nil {
		return "", err
	}
	source := string(b)
	for _, e := range r.edits {
		if n := strings.Count(source, e.old); n != 1 {
			return "", fmt.Errorf("%s has this %d times, want once: the code has changed, so change the rule with it: %q", r.file, n, e.old)
		}
		source = strings.Replace(source, e.old, e.new, 1)
	}
	return source, nil
}
