package leak_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/tokens"
)

var printed = flag.String("printed", "", "look through what the tests printed, a `file` of go test -json")

// TestPrinted looks through the output of the tests of all modules for the tokens
// and user ids in the source code, and for any text that begins like a token.
// make test runs it last; without the flag, it reads the source code only.
func TestPrinted(t *testing.T) {
	known, err := collect("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(known.tokens) == 0 || len(known.users) == 0 {
		t.Fatalf("%d tokens and %d user ids are in the source code, want some of each", len(known.tokens), len(known.users))
	}
	if *printed == "" {
		return
	}
	output, err := os.Open(*printed)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = output.Close() }() // it was only read
	f, err := scan(output, known)
	if err != nil {
		t.Fatal(err)
	}
	if f.lines == 0 {
		t.Fatalf("%s has no output of tests", *printed)
	}
	t.Logf("%d lines of %d tests in %d packages", f.lines, f.tests, f.packages)
	for _, l := range f.leaks {
		t.Error(l)
	}
}

// allowed are the tests that print a user id on purpose. None may print a token.
var allowed = map[string]string{
	"tokens TestLogged": "prints registrations by every verb, whose keys are no secret; TestTestingLog looks for the token in it",
}

// A finding is what the output came to.
type finding struct {
	packages, tests, lines int
	leaks                  []string
}

// scan looks through the events of `go test -json`. The names of tests, which go
// test prints, may have a user id.
func scan(events io.Reader, known literals) (finding, error) {
	var (
		f               finding
		tokens, users   leak.Trace
		packages, tests = map[string]bool{}, map[string]bool{}
	)
	tokens.Add("PushToken[")
	for id := range known.tokens {
		tokens.Add(id)
	}
	for user := range known.users {
		users.Add(user)
	}
	output := map[source]*strings.Builder{}
	var order []source
	for decoder := json.NewDecoder(events); ; {
		var e struct{ Action, Package, Test, Output string }
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return f, err
		}
		packages[e.Package] = true
		if e.Test != "" {
			tests[e.Package+" "+e.Test] = true
		}
		if e.Action != "output" {
			continue
		}
		from := source{e.Package, e.Test}
		if output[from] == nil {
			output[from] = &strings.Builder{}
			order = append(order, from)
		}
		output[from].WriteString(e.Output)
	}
	for _, from := range order {
		for line := range strings.Lines(output[from].String()) {
			f.lines++
			what := tokens.Find(line)
			if what == "" && !isName(line) && allowed[from.String()] == "" {
				what = users.Find(line)
			}
			if what != "" {
				f.leaks = append(f.leaks, fmt.Sprintf("%s shows %s: %s", from, what, strings.TrimSpace(line)))
			}
		}
	}
	f.packages, f.tests = len(packages), len(tests)
	return f, nil
}

// A source is a test, or a package outside its tests.
type source struct{ pkg, test string }

// String leaves out the module.
func (s source) String() string {
	const module = "github.com/devicetokens/devicetokens/"
	return strings.TrimPrefix(s.pkg, module) + " " + s.test
}

// isName reports whether go test wrote the line: the name of a test with what
// becomes of it.
func isName(line string) bool {
	line = strings.TrimLeft(line, " ")
	return strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ")
}

// literals are texts in the code: those inside the brackets of tokens, and
// user ids.
type literals struct{ tokens, users map[string]bool }

// minToken is the minimum length of the text in the brackets. Shorter ones are words
// such as "token"; they show by their prefix.
const minToken = 10

// words are what some tests take for an id and others say: they are in any text.
var words = map[string]bool{"other": true, "ExpoPushToken": true}

// collect reads all Go files of the repository, those of the tests above all.
func collect(root string) (literals, error) {
	found := literals{map[string]bool{}, map[string]bool{}}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || path != root && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case filepath.Ext(path) != ".go":
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil { // else the compiler complains about it
			found.add(file)
		}
		return nil
	})
	return found, err
}

func (l literals) add(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if t, err := tokens.ParseToken(literal(n)); err == nil {
				if id := leak.Identity(t); len(id) >= minToken && !words[id] {
					l.tokens[id] = true
				}
			}
		case *ast.KeyValueExpr:
			if name, ok := n.Key.(*ast.Ident); ok && name.Name == "UserID" {
				l.user(n.Value)
			}
		case *ast.CallExpr:
			if isUserID(n.Fun) && len(n.Args) == 1 {
				l.user(n.Args[0])
			}
		case *ast.ValueSpec:
			for _, v := range n.Values {
				if isUserID(n.Type) {
					l.user(v)
				}
			}
		}
		return true
	})
}

func (l literals) user(e ast.Expr) {
	// Some tests use invalid user ids.
	if text := literal(e); tokens.UserID(text).Validate() == nil && !words[text] {
		l.users[text] = true
	}
}

func isUserID(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "UserID"
}

// literal is the text of a string literal, "" of anything else.
func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return text
}
