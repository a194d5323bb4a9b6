package interleave

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A rule is something that package dynamostore does for a reason.
type rule struct {
	name string
	// in names the declaration that the edits change: a function, a method as
	// "type.method", a variable or a constant.
	in    string
	edits []edit
	// seed is the first schedule to play, 1 if it is 0. It is later than 1 for a
	// rule that shows late, to save time.
	seed uint64
	// script names a scripted schedule to play instead, for what random schedules
	// come to too seldom.
	script string
}

// An edit replaces Go tokens that the declaration has exactly once. Spaces, line
// breaks and comments do not matter.
type edit struct{ old, new string }

// folder is that of package dynamostore.
const folder = "../../dynamostore"

// without returns the name and the text of the file that has the rule, with the
// rule left out.
func (r rule) without() (file, source string, err error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return "", "", err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return "", "", err
		}
		from, to, err := find(text, r.in)
		if err != nil {
			return "", "", err
		}
		if to == 0 {
			continue
		}
		part := string(text[from:to])
		for _, e := range r.edits {
			if part, err = e.apply(part); err != nil {
				return "", "", fmt.Errorf("%s: %s: %w", name, r.in, err)
			}
		}
		return name, string(text[:from]) + part + string(text[to:]), nil
	}
	return "", "", fmt.Errorf("package dynamostore declares no %s: change the rule with the code", r.in)
}

// find returns where the text declares the name; to is 0 if it does not.
func find(text []byte, name string) (from, to int, err error) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, "", text, 0)
	if err != nil {
		return 0, 0, err
	}
	at := func(n ast.Node) (from, to int, err error) {
		return files.Position(n.Pos()).Offset, files.Position(n.End()).Offset, nil
	}
	for _, d := range parsed.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			full := d.Name.Name
			if d.Recv != nil {
				receiver := d.Recv.List[0].Type
				if pointer, ok := receiver.(*ast.StarExpr); ok {
					receiver = pointer.X
				}
				full = receiver.(*ast.Ident).Name + "." + full
			}
			if full == name {
				return at(d)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && v.Names[0].Name == name {
					return at(v)
				}
			}
		}
	}
	return 0, 0, nil
}

// apply makes the edit.
func (e edit) apply(source string) (string, error) {
	all, old := scan(source), scan(e.old)
	same := func(a, b lexeme) int { return cmp.Compare(a.text, b.text) }
	var found []int
	for i := range len(all) - len(old) + 1 {
		if slices.CompareFunc(all[i:i+len(old)], old, same) == 0 {
			found = append(found, i)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("it has this %d times, want once: change the rule with the code: %q", len(found), e.old)
	}
	first, last := all[found[0]], all[found[0]+len(old)-1]
	return source[:first.at] + e.new + source[last.at+len(last.text):], nil
}

// A lexeme is a token and its offset.
type lexeme struct {
	text string
	at   int
}

// scan returns the tokens of a text, without the semicolons that line breaks stand
// for.
func scan(source string) []lexeme {
	var (
		all []lexeme
		s   scanner.Scanner
	)
	file := token.NewFileSet().AddFile("", -1, len(source))
	s.Init(file, []byte(source), nil, 0)
	for {
		pos, kind, text := s.Scan()
		switch {
		case kind == token.EOF:
			return all
		case kind == token.SEMICOLON && text == "\n":
			continue
		case text == "":
			text = kind.String()
		}
		all = append(all, lexeme{text: text, at: file.Offset(pos)})
	}
}

// TestRulesApply fails if the code of the store has changed and a rule has not.
func TestRulesApply(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			file, source, err := r.without()
			if err != nil {
				t.Fatal(err)
			}
			whole, err := os.ReadFile(file)
			if err != nil || bytes.Equal(whole, []byte(source)) {
				t.Errorf("the edits change nothing: %v", err)
			}
		})
	}
}

// TestEdit finds tokens however they are laid out, and only if they are there once.
func TestEdit(t *testing.T) {
	const source = "func f() {\n\tg(1, 2) // g(3)\n\tif a {\n\t\treturn h\n\t}\n\treturn h\n}"
	for _, tt := range []struct{ old, new, want string }{
		{"g( 1,2 )", "g()", strings.Replace(source, "g(1, 2)", "g()", 1)},
		{"if a { return h", "if b {", strings.Replace(source, "if a {\n\t\treturn h", "if b {", 1)},
		{"return h", "", ""},
		{"g(3)", "", ""},
	} {
		got, err := edit{tt.old, tt.new}.apply(source)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%q: got %q, %v, want %q", tt.old, got, err, tt.want)
		}
	}
}
