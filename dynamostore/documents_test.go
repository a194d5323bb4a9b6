package dynamostore_test

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// The document's example of a policy allows what the store calls, and no more.
func TestPolicyInDocument(t *testing.T) {
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(document(t))
	if block == nil {
		t.Fatal("there is no policy")
	}
	var policy struct {
		Statement []struct {
			Effect   string
			Action   []string
			Resource string
		}
	}
	if err := json.Unmarshal([]byte(block[1]), &policy); err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, s := range policy.Statement {
		equal(t, "effect", "Allow", s.Effect)
		for _, action := range s.Action {
			service, name, _ := strings.Cut(action, ":")
			switch service {
			case "dynamodb":
				actions = append(actions, name)
				if strings.HasSuffix(s.Resource, "*") {
					t.Errorf("the policy is for %s, and not for the table alone", s.Resource)
				}
			case "kms":
			default:
				t.Errorf("the policy allows %s", action)
			}
		}
	}
	equal(t, "actions on the table", dynamotest.StoreActions, actions)
}

// Each attribute that the store writes is in the document.
func TestAttributesInDocument(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "table.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	text, names := document(t), 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "attr") {
			return true
		}
		name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		names++
		if !strings.Contains(text, "| `"+name+"` |") {
			t.Errorf("the document's table lacks the attribute %s", name)
		}
		return true
	})
	if names < 15 {
		t.Errorf("%d attributes were found in table.go, want all 15", names)
	}
}

func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(accessPatterns)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var update = flag.Bool("update", false, "write the documents that tests generate")

// generated fails unless the file has the text; with -update it writes it.
func generated(t testing.TB, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, string(got)); diff != "" {
		t.Errorf("%s is out of date: run this test with -update (-want +got):\n%s", file, diff)
	}
}

// generatedRegion is generated for the part of a file between two marks.
func generatedRegion(t *testing.T, file, name, text string) {
	t.Helper()
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->\n"
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(got), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks for %s", file, name)
	}
	generated(t, file, head+begin+"\n"+text+"\n"+end+tail)
}
