package leak_test

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const secret = "qZ7xW2vK9tRjYpL4mN8sHg"

var known = literals{map[string]bool{secret: true}, map[string]bool{"u-7f3a": true}}

// events are the output of a test, in the pieces that test2json makes of it.
func events(t *testing.T, test string, pieces ...string) string {
	t.Helper()
	var b strings.Builder
	for _, piece := range pieces {
		event := map[string]string{
			"Action": "output", "Package": "github.com/devicetokens/devicetokens/tokens", "Test": test, "Output": piece,
		}
		if err := json.NewEncoder(&b).Encode(event); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// TestScan plants a leak of each kind in what a test prints.
func TestScan(t *testing.T) {
	for name, tt := range map[string]struct {
		test   string
		pieces []string
		leaks  int
	}{
		"nothing":             {"TestA", []string{"=== RUN   TestA\n", "ok\n", "Token(1f2e3d4c)\n"}, 0},
		"a log line":          {"TestA", []string{`level=INFO msg=request token="ExponentPushToken[` + secret + "]\"\n"}, 1},
		"an unknown token":    {"TestA", []string{"expo says ExponentPushToken[unheard] is gone\n"}, 1},
		"a problem":           {"TestA", []string{`{"detail":"ExpoPushToken%5Bunheard%5D"}` + "\n"}, 1},
		"a metric":            {"TestA", []string{`requests{user="u-7f3a-alice"} 1` + "\n"}, 1},
		"a panic":             {"TestA", []string{"panic: " + fmt.Sprintf("%x", "ExpoPushToken[unheard]") + "\n"}, 1},
		"an error in pieces":  {"TestA", []string{"no " + secret[:9], secret[9:] + " here\n"}, 1},
		"two":                 {"TestA", []string{"u-7f3a\nu-7f3a\n"}, 2},
		"a user in a name":    {"TestA", []string{"=== RUN   TestA/u-7f3a\n", "    --- PASS: TestA/u-7f3a (0.00s)\n"}, 0},
		"a token in a name":   {"TestA", []string{"=== RUN   TestA/" + secret + "\n"}, 1},
		"what is allowed":     {"TestLogged", []string{"{u-7f3a phone}\n"}, 0},
		"a token is never so": {"TestLogged", []string{secret + "\n"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := scan(strings.NewReader(events(t, tt.test, tt.pieces...)), known)
			if err != nil {
				t.Fatal(err)
			}
			if len(f.leaks) != tt.leaks {
				t.Errorf("found %q, want %d", f.leaks, tt.leaks)
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
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := literals{map[string]bool{}, map[string]bool{}}
	found.add(file)
	for _, tt := range []struct {
		what string
		want []string
		got  map[string]bool
	}{
		{"tokens", []string{"5pe11ed0-0000-0000-0000-000000000000", secret}, found.tokens},
		{"users", []string{"u-alice", "u-bob", "u-carol"}, found.users},
	} {
		if diff := cmp.Diff(tt.want, slices.Sorted(maps.Keys(tt.got))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
}
