package figures

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

var (
	begin = regexp.MustCompile(`(?m)^<!-- figures ([\w-]+)/([\w-]+) -->\n`)
	end   = "<!-- figures end -->\n"
	// A line that begins so is meant for a mark. One that is misspelled would
	// leave its table as it is for ever.
	meant = regexp.MustCompile(`(?m)^\s*<!--\s*figures?\b.*$`)
)

// Embed returns the document with the tables that its marks name, as they stand
// in the results of a folder. What else the document says is left as it is. The
// names are those of the tables that it shows, NAME/TABLE.
func Embed(document string, results fs.FS) (embedded string, names []string, err error) {
	var b strings.Builder
	for {
		mark := begin.FindStringSubmatchIndex(document)
		before := document
		if mark != nil {
			before = document[:mark[0]]
		}
		if stray := meant.FindString(before); stray != "" {
			return "", nil, fmt.Errorf("figures: %q is no mark of a table, or ends none", strings.TrimSpace(stray))
		}
		if mark == nil {
			b.WriteString(document)
			return b.String(), names, nil
		}
		name, tableName := document[mark[2]:mark[3]], document[mark[4]:mark[5]]
		b.WriteString(document[:mark[1]])
		shown, rest, ok := strings.Cut(document[mark[1]:], end)
		if !ok || meant.MatchString(shown) {
			return "", nil, fmt.Errorf("figures: the mark of %s/%s has no end", name, tableName)
		}
		result, err := Read(results, name)
		if err != nil {
			return "", nil, err
		}
		table, ok := result.Tables[tableName]
		if !ok {
			return "", nil, fmt.Errorf("figures: %s has no table %q", name, tableName)
		}
		names = append(names, name+"/"+tableName)
		fmt.Fprintf(&b, "\n%s\n`%s`, %s.\n\n%s", table.markdown(), result.Command, result.Machine, end)
		document = rest
	}
}

// number is how a cell of a column that is set to the right begins.
var number = regexp.MustCompile(`^([-−+]|< ?|≤ ?|× ?)?\d`)

// markdown returns the table in Markdown, with columns of numbers set to the
// right.
func (t Table) markdown() string {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	line(t.Columns)
	rules := make([]string, len(t.Columns))
	for column := range t.Columns {
		rules[column] = "---:"
		for _, row := range t.Rows {
			if cell := row[column]; cell != "" && !number.MatchString(cell) {
				rules[column] = "---"
				break
			}
		}
	}
	line(rules)
	for _, row := range t.Rows {
		line(row)
	}
	return b.String()
}
