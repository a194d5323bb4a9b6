package tokens_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/tokens"
)

// Two spellings are one token, so what would compare texts must not compile.
func TestTokenIsNotComparable(t *testing.T) {
	if reflect.TypeFor[tokens.Token]().Comparable() || reflect.TypeFor[tokens.Registration]().Comparable() {
		t.Error("a Token can be compared")
	}
	if !reflect.TypeFor[tokens.Key]().Comparable() {
		t.Error("a Key cannot be compared")
	}

	if size, want := reflect.TypeFor[tokens.Token]().Size(), reflect.TypeFor[*string]().Size(); size != want {
		t.Errorf("a Token has %d bytes, want those of a pointer, %d", size, want)
	}

	fset := token.NewFileSet()
	pkg := checkTokens(t, fset)
	for _, tt := range []struct {
		name, body string
		compiles   bool
	}{
		{"Equal", "var a, b tokens.Token; _ = a.Equal(b)", true},
		{"tokens by key", "_ = map[tokens.Key]tokens.Token{}", true},
		{"== of keys", "var a, b tokens.Key; _ = a == b", true},
		{"the zero value", "_ = tokens.Token{}", true},
		{"==", "var a, b tokens.Token; _ = a == b", false},
		{"!= of the zero value", "var a tokens.Token; _ = a != (tokens.Token{})", false},
		{"a map by token", "_ = map[tokens.Token]bool{}", false},
		{"switch", "var a, b tokens.Token; switch a { case b: }", false},
		{"== of registrations", "var a, b tokens.Registration; _ = a == b", false},
		{"== of requests", "var a, b tokens.Request; _ = a == b", false},
		{"a map by request", "_ = map[tokens.Request]bool{}", false},
		{"conversion from a string", `_ = tokens.Token("x")`, false},
		{"a composite literal", `s := "x"; _ = tokens.Token{s: &s}`, false},
		{"the field", "var a tokens.Token; _ = a.s", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := compile(t, fset, pkg, tt.body); (err == nil) != tt.compiles {
				t.Errorf("compiles: %t, want %t (%v)", err == nil, tt.compiles, err)
			}
		})
	}
}

// compile type-checks the body of a function that imports package tokens.
func compile(t *testing.T, fset *token.FileSet, pkg *types.Package, body string) error {
	t.Helper()
	source := "package p\n\nimport \"" + pkg.Path() + "\"\n\nfunc _() {\n" + body + "\n}\n\nvar _ tokens.Key\n"
	file, err := parser.ParseFile(fset, "snippet.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Importer: importer{pkg.Path(): pkg}}
	_, err = config.Check("p", fset, []*ast.File{file}, nil)
	return err
}

// checkTokens type-checks this package from its source. What it imports is left
// empty, and so errors about that are ignored: no import decides whether two
// tokens can be compared, and to load the standard library takes seconds.
func checkTokens(t *testing.T, fset *token.FileSet) *types.Package {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	imports := importer{}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
		for _, spec := range file.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			imports[path] = types.NewPackage(path, path[strings.LastIndex(path, "/")+1:])
			imports[path].MarkComplete()
		}
	}
	config := types.Config{Importer: imports, IgnoreFuncBodies: true, Error: func(error) {}}
	pkg, _ := config.Check(reflect.TypeFor[tokens.Token]().PkgPath(), fset, files, nil)
	return pkg
}

// An importer has the packages that may be imported.
type importer map[string]*types.Package

func (i importer) Import(path string) (*types.Package, error) { return i[path], nil }
