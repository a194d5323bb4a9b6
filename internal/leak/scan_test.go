package leak_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/tokens"
)

var printed = flag.String("printed", "", "search the output of the tests, a `file` of go test -json")

// TestPrinted searches the output of the tests of all modules for the tokens and
// user ids in the source code, and for any text that begins like a token.
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
	lines, leaks, err := scan(output, known)
	if err != nil {
		t.Fatal(err)
	}
	if lines == 0 {
		t.Fatalf("%s has no output of tests", *printed)
	}
	for _, l := range leaks {
		t.Error(l)
	}
}

// scan searches the events of `go test -json`. The name of a test, which go test
// prints, may have a user id.
func scan(events io.Reader, known literals) (lines int, leaks []string, err error) {
	var tokens, users leak.Trace
	tokens.Add("PushToken[")
	tokens.Add(slices.Collect(maps.Keys(known.tokens))...)
	users.Add(slices.Collect(maps.Keys(known.users))...)
	type event struct{ Action, Package, Test, Output string }
	output := map[string]*strings.Builder{} // one line may be in several events
	for decoder := json.NewDecoder(events); ; {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return 0, nil, err
		}
		from := e.Package + " " + e.Test
		if output[from] == nil {
			output[from] = &strings.Builder{}
		}
		output[from].WriteString(e.Output)
	}
	for _, from := range slices.Sorted(maps.Keys(output)) {
		for line := range strings.Lines(output[from].String()) {
			lines++
			what := tokens.Find(line)
			if what == "" && !isName(line) {
				what = users.Find(line)
			}
			if what != "" {
				leaks = append(leaks, fmt.Sprintf("%s shows %s: %s", from, what, strings.TrimSpace(line)))
			}
		}
	}
	return lines, leaks, nil
}

// isName reports whether go test wrote the line: the name of a test and its result.
func isName(line string) bool {
	line = strings.TrimLeft(line, " ")
	return strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ")
}

// literals are texts in the code: those inside the brackets of tokens, and
// user ids.
type literals struct{ tokens, users map[string]bool }

// minToken is the minimum length of the text in the brackets. Shorter ones are words
// such as "token", which are found by their prefix.
const minToken = 10

// words are ids in some tests and ordinary words in others.
var words = map[string]bool{"other": true, "ExpoPushToken": true}

var (
	tokenLiteral = regexp.MustCompile("[\"`]((?:Expo(?:nent)?PushToken\\[)?[!-~]+)[\"`]")
	userLiteral  = regexp.MustCompile("UserID(?: = |[:(] ?)\"([^\"]+)\"[),}\n]")
)

// collect reads all Go files of the repository.
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
		source, err := os.ReadFile(path)
		found.add(string(source))
		return err
	})
	return found, err
}

func (l literals) add(source string) {
	for _, match := range tokenLiteral.FindAllStringSubmatch(source, -1) {
		if t, err := tokens.ParseToken(match[1]); err == nil {
			if id := leak.Identity(t); len(id) >= minToken && !words[id] {
				l.tokens[id] = true
			}
		}
	}
	for _, match := range userLiteral.FindAllStringSubmatch(source, -1) {
		// Some tests use invalid user ids.
		if user := match[1]; tokens.UserID(user).Validate() == nil && !words[user] {
			l.users[user] = true
		}
	}
}

const secret = "qZ7xW2vK9tRjYpL4mN8sHg"

// TestScan plants a leak of each kind in the output of a test.
func TestScan(t *testing.T) {
	known := literals{map[string]bool{secret: true}, map[string]bool{"u-7f3a": true}}
	for name, tt := range map[string]struct {
		pieces []string // as test2json divides the output
		leaks  int
	}{
		"nothing":            {[]string{"=== RUN   TestA\n", "ok\n", "Token(1f2e3d4c)\n"}, 0},
		"a log line":         {[]string{`level=INFO msg=request token="ExponentPushToken[` + secret + "]\"\n"}, 1},
		"an unknown token":   {[]string{"expo says ExponentPushToken[unheard] is gone\n"}, 1},
		"a problem":          {[]string{`{"detail":"ExpoPushToken%5Bunheard%5D"}` + "\n"}, 1},
		"a metric":           {[]string{`requests{user="u-7f3a-alice"} 1` + "\n"}, 1},
		"a panic":            {[]string{"panic: " + fmt.Sprintf("%x", "ExpoPushToken[unheard]") + "\n"}, 1},
		"an error in pieces": {[]string{"no " + secret[:9], secret[9:] + " here\n"}, 1},
		"two":                {[]string{"u-7f3a\nu-7f3a\n"}, 2},
		"a user in a name":   {[]string{"=== RUN   TestA/u-7f3a\n", "    --- PASS: TestA/u-7f3a (0.00s)\n"}, 0},
		"a token in a name":  {[]string{"=== RUN   TestA/" + secret + "\n"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var events strings.Builder
			for _, piece := range tt.pieces {
				event := map[string]string{"Action": "output", "Package": "p", "Test": "TestA", "Output": piece}
				if err := json.NewEncoder(&events).Encode(event); err != nil {
					t.Fatal(err)
				}
			}
			_, leaks, err := scan(strings.NewReader(events.String()), known)
			if err != nil || len(leaks) != tt.leaks {
				t.Errorf("found %q, %v, want %d", leaks, err, tt.leaks)
			}
		})
	}
}

func TestLiterals(t *testing.T) {
	const source = `package p
const Alice tokens.UserID = "u-alice"
var bob = tokens.UserID("u-bob")
var none = tokens.UserID("#claim#1#")
var key = tokens.Key{UserID: "u-carol", DeviceID: "phone"}
var a, b = "ExpoPushToken[` + secret + `]", ` + "`ExponentPushToken[short]`" + `
var c = "5pe11ed0-0000-0000-0000-000000000000"
`
	found := literals{map[string]bool{}, map[string]bool{}}
	found.add(source)
	if diff := cmp.Diff([]string{"5pe11ed0-0000-0000-0000-000000000000", secret}, slices.Sorted(maps.Keys(found.tokens))); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"u-alice", "u-bob", "u-carol"}, slices.Sorted(maps.Keys(found.users))); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}
