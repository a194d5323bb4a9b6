package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/devicetokens/devicetokens/internal/figures"
	"github.com/devicetokens/devicetokens/internal/leak"
)

// allowed are the tests that print a user id on purpose. None may print a token.
var allowed = map[string]string{
	"tokens TestLogged": "prints registrations by every verb, whose keys are no secret; TestTestingLog looks for the token in it",
}

// A finding is what the output came to.
type finding struct {
	packages, tests, lines, bytes int
	forms                         int
	leaks                         []string
}

func (f finding) String() string {
	return fmt.Sprintf("%d lines of %d tests in %d packages: %d show a token or a user id", f.lines, f.tests, f.packages, len(f.leaks))
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
	tokenForms, _, bytes := tokens.Inspected()
	userForms, _, _ := users.Inspected()
	f.forms, f.bytes = tokenForms+userForms, bytes
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

func (f finding) result(known literals) figures.Result {
	return figures.Result{Command: "make leaks", Machine: figures.Machine(), Tables: map[string]figures.Table{
		"printed": {
			Columns: []string{"", "count"},
			Rows: [][]string{
				{"packages", fmt.Sprint(f.packages)},
				{"tests", fmt.Sprint(f.tests)},
				{"lines that they printed", fmt.Sprint(f.lines)},
				{"bytes", fmt.Sprint(f.bytes)},
				{"tokens of the tests", fmt.Sprint(len(known.tokens))},
				{"user ids of the tests", fmt.Sprint(len(known.users))},
				{"forms looked for", fmt.Sprint(f.forms)},
				{"lines with a token or a user id", fmt.Sprint(len(f.leaks))},
			},
		},
	}}
}
