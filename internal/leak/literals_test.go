package leak_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/tokens"
)

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
