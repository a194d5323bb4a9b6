package function

import (
	"os/exec"
	"strings"
	"testing"
)

// TestOnlyTheCompositionRootImportsTheSDK looks at what every package of the
// function imports itself, and at all that this one brings along.
func TestOnlyTheCompositionRootImportsTheSDK(t *testing.T) {
	const (
		root = "github.com/devicetokens/devicetokens/examples/lambda"
		sdk  = "github.com/aws/aws-sdk-go-v2"
	)
	list := func(args ...string) []string {
		t.Helper()
		output, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(output))
	}
	found := false
	for _, line := range strings.Split(strings.Join(list("-f", `{{.ImportPath}}>{{join .Imports ","}}`, root+"/..."), "\n"), "\n") {
		pkg, imports, _ := strings.Cut(line, ">")
		if strings.Contains(imports, sdk) {
			found = found || pkg == root
			if pkg != root {
				t.Errorf("%s imports the SDK", pkg)
			}
		}
	}
	if !found {
		t.Error("the composition root does not import the SDK: does this test see the imports?")
	}
	for _, dependency := range list("-deps", root+"/internal/function") {
		if strings.HasPrefix(dependency, sdk) {
			t.Errorf("the handler depends on %s", dependency)
		}
	}
}
