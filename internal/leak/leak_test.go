package leak_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"log/slog"
	"maps"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	identity = "qZ7xW2vK9tRjYp<&>é"
	user     = "u-7f3a-alice"
)

func newTrace() *leak.Trace {
	var t leak.Trace
	t.Add(identity, user)
	return &t
}

// TestChannels plants a leak in each channel.
func TestChannels(t *testing.T) {
	for _, secret := range []string{identity, user} {
		token := "ExponentPushToken[" + secret + "]"
		for channel, write := range map[string]func() string{
			"a line of text": func() string {
				var b bytes.Buffer
				slog.New(slog.NewTextHandler(&b, nil)).Info("request", "token", token)
				return b.String()
			},
			"a line of JSON": func() string {
				var b bytes.Buffer
				slog.New(slog.NewJSONHandler(&b, nil)).Info("request", slog.Group("req", "token", []byte(token)))
				return b.String()
			},
			"a problem": func() string {
				w := httptest.NewRecorder()
				if err := json.NewEncoder(w).Encode(map[string]any{"title": "no", "errors": []any{map[string]string{"detail": token}}}); err != nil {
					t.Fatal(err)
				}
				return w.Body.String()
			},
			"a location":     func() string { return "/v1/device-tokens?" + url.Values{"t": {token}}.Encode() },
			"a metric":       func() string { return fmt.Sprintf("requests{token=%q} 1", token) },
			"an error":       func() string { return leak.Printed(fmt.Errorf("no %s", token)) },
			"a wrapped one":  func() string { return leak.Printed(errors.Join(errors.New("x"), fmt.Errorf("no %x", token))) },
			"a panic":        func() string { return recovered(func() { panic(token) }) },
			"a stringless":   func() string { return fmt.Sprint([]byte(token)) },
			"a cursor":       func() string { return base64.RawURLEncoding.EncodeToString([]byte(`["x","` + token + `"]`)) },
			"a longer one":   func() string { return base64.StdEncoding.EncodeToString([]byte(`["xy","` + token + `"]`)) },
			"the longest":    func() string { return base64.URLEncoding.EncodeToString([]byte(`["xyz","` + token + `"]`)) },
			"code points":    func() string { return fmt.Sprintf("%U", []byte(token)) },
			"spaced":         func() string { return fmt.Sprintf("% X", token) },
			"Go's own bytes": func() string { return fmt.Sprintf("%#v", []byte(token)) },
		} {
			t.Run(channel, func(t *testing.T) {
				text := write()
				if newTrace().Find(text) == "" {
					t.Errorf("%s goes unnoticed", text)
				}
			})
		}
	}
}

func recovered(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}

func TestNothingIsFound(t *testing.T) {
	for _, text := range []string{
		"", user[:len(user)-1], "ExponentPushToken[]", tokens.MustParseToken("ExponentPushToken[qZ7xW2vK9tRjYp]").String(),
		fmt.Sprintf("%x", identity[1:]), strings.ReplaceAll(user, "-", "_"),
	} {
		if what := newTrace().Find(text); what != "" {
			t.Errorf("found %s in %q", what, text)
		}
	}
}

// TestStore has a store whose errors tell what they should not, and one whose do
// not.
func TestStore(t *testing.T) {
	token := tokens.MustParseToken("ExpoPushToken[qZ7xW2vK9tRjYp]")
	key := tokens.Key{UserID: user, DeviceID: "phone"}
	for name, tt := range map[string]struct {
		err   error
		leaks bool
	}{
		"the token":              {fmt.Errorf("%w: no %s", store.ErrTryAgain, token.Reveal()), true},
		"another spelling of it": {errors.New("ExponentPushToken%5BqZ7xW2vK9tRjYp%5D"), true},
		"the user":               {errors.Join(store.ErrNotFound, fmt.Errorf("%+v", key)), true},
		"its hash":               {fmt.Errorf("%w: %v", store.ErrTryAgain, token), false},
		"a sentinel":             {store.ErrNotFound, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			s := leak.Store(r, failing{memstore.MustNew(store.Policy{}), tt.err}, &leak.Trace{})
			if _, err := s.Register(t.Context(), tokens.Request{Key: key, Token: token, Platform: tokens.IOS}); err != nil {
				t.Fatal(err)
			}
			if err := s.Delete(t.Context(), tokens.Key{UserID: "bobby", DeviceID: "phone"}); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
			if r.failed != tt.leaks {
				t.Errorf("failed: %t, want %t", r.failed, tt.leaks)
			}
		})
	}
}

type failing struct {
	store.Store
	err error
}

func (f failing) Delete(context.Context, tokens.Key) error { return f.err }

type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }

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
