package tokens_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/tokens"
)

// secret shares no run of four bytes with the text that is printed around a token.
const secret = "qZ7xW2vK9tRjYpL4mN8sHg"

var leaky = tokens.MustParseToken("ExponentPushToken[" + secret + "]")

// shapes are the forms in which a part of the secret may show: four bytes of it
// as text, in hexadecimal or as a list of numbers, in lower case; or six bytes in
// base64, which may begin anywhere in what was encoded. They are sorted by
// their first two bytes, since very much is searched for them.
var shapes = func() (byStart [1 << 16][]string) {
	add := func(shape string) {
		start := int(shape[0])<<8 | int(shape[1])
		byStart[start] = append(byStart[start], shape)
	}
	for i := range len(secret) - 3 {
		run := strings.ToLower(secret[i : i+4])
		add(run)
		for _, letters := range []string{run, secret[i : i+4]} {
			for _, format := range []string{
				"%02x|", "%02x| ", "0x%02x|, ", "0x%02x| ", "%d| ", "%d|, ", "%d|,", "%o| ", "%b| ", "%c| ",
				"u+%04x| ", "%%%02x|", "\\x%02x|", "\\u%04x|",
			} {
				one, separator, _ := strings.Cut(format, "|")
				var list []string
				for _, b := range []byte(letters) {
					list = append(list, fmt.Sprintf(one, b))
				}
				add(strings.Join(list, separator))
			}
		}
	}
	for i := range len(secret) - 5 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			add(strings.ToLower(encoding.EncodeToString([]byte(secret[i : i+6]))))
		}
	}
	return byStart
}()

// leaks returns the part of the secret that shows in out, "" if none does.
func leaks(out string) string {
	out = strings.ToLower(out)
	for i := range len(out) - 1 {
		for _, shape := range shapes[int(out[i])<<8|int(out[i+1])] {
			if strings.HasPrefix(out[i:], shape) {
				return shape
			}
		}
	}
	return ""
}

// wantNoLeak fails if anything of the secret shows in out.
func wantNoLeak(t *testing.T, what, out string) {
	t.Helper()
	if shown := leaks(out); shown != "" {
		t.Errorf("%s shows %q in %q", what, shown, out)
	}
}

// The check has to find what it looks for.
func TestLeaksAreFound(t *testing.T) {
	part := secret[5:11]
	for _, format := range []string{"%s", "%v", "%q", "%x", "%X", "% x", "%#x", "%# x", "%d", "%o", "%b", "%c", "%U", "%#v"} {
		for _, v := range []any{part, []byte(part)} {
			out := fmt.Sprintf(format, v)
			if leaks(out) == "" && !strings.Contains(out, "%!") {
				t.Errorf("%s of a %T goes unnoticed: %s", format, v, out)
			}
		}
	}
	type naked struct{ s string }
	for what, out := range map[string]string{
		"base64":            base64.StdEncoding.EncodeToString([]byte("x" + secret)),
		"base64 for URLs":   base64.URLEncoding.EncodeToString([]byte("xx" + secret)),
		"an exported byte":  marshal(t, json.Marshal, struct{ B []byte }{[]byte(secret)}),
		"an unexported one": fmt.Sprintf("%+v", struct{ inner []naked }{[]naked{{part}}}),
	} {
		if leaks(out) == "" {
			t.Errorf("%s goes unnoticed: %s", what, out)
		}
	}
}

// theirs is a struct with unexported fields, whose methods fmt may not call.
type theirs struct {
	value    tokens.Token
	pointer  *tokens.Token
	slice    []tokens.Token
	array    [2]tokens.Token
	byName   map[string]tokens.Token
	pointers []*tokens.Token
	dynamic  any
	nested   struct{ deeper *theirs }
	request  tokens.Request
	reg      tokens.Registration
	regs     []tokens.Registration
	regsBy   map[tokens.Key]*tokens.Registration
}

// open is the same with fields that any package may read.
type open struct {
	Value    tokens.Token
	Pointer  *tokens.Token
	Slice    []tokens.Token
	Array    [2]tokens.Token
	ByName   map[string]tokens.Token
	Pointers []*tokens.Token
	Dynamic  any
	Omitted  tokens.Token `json:",omitzero"`
	Request  tokens.Request
	Reg      tokens.Registration
	Regs     []tokens.Registration
}

type embedding struct{ tokens.Token }

type embeddingPointer struct{ *tokens.Token }

func leakyRequest() tokens.Request {
	req := validRequest()
	req.Token = leaky
	return req
}

func leakyRegistration() tokens.Registration {
	req := leakyRequest()
	return tokens.Registration{Key: req.Key, Token: leaky, Platform: req.Platform, Status: tokens.Active}
}

func newTheirs() *theirs {
	reg := leakyRegistration()
	s := &theirs{
		value: leaky, pointer: &leaky, slice: []tokens.Token{leaky}, array: [2]tokens.Token{leaky, leaky},
		byName: map[string]tokens.Token{"a": leaky}, pointers: []*tokens.Token{&leaky}, dynamic: leaky,
		request: leakyRequest(), reg: reg, regs: []tokens.Registration{reg}, regsBy: map[tokens.Key]*tokens.Registration{reg.Key: &reg},
	}
	deeper := *s
	s.nested.deeper = &deeper
	return s
}

func newOpen() *open {
	reg := leakyRegistration()
	return &open{
		Value: leaky, Pointer: &leaky, Slice: []tokens.Token{leaky}, Array: [2]tokens.Token{leaky, leaky},
		ByName: map[string]tokens.Token{"a": leaky}, Pointers: []*tokens.Token{&leaky}, Dynamic: &leaky, Omitted: leaky,
		Request: leakyRequest(), Reg: reg, Regs: []tokens.Registration{reg},
	}
}

// carriers are values that have the token somewhere.
func carriers() []any {
	reg, mine := leakyRegistration(), newTheirs()
	pointer := &leaky
	return []any{
		leaky, pointer, &pointer, []tokens.Token{leaky}, []*tokens.Token{pointer}, [1]tokens.Token{leaky},
		map[string]tokens.Token{"a": leaky}, map[string]*tokens.Token{"a": pointer}, []any{leaky, pointer},
		leakyRequest(), reg, &reg, []tokens.Registration{reg}, map[tokens.Key]tokens.Registration{reg.Key: reg},
		struct{ any }{leaky}, struct{ fmt.Stringer }{leaky}, embedding{leaky}, &embedding{leaky}, embeddingPointer{&leaky},
		*newOpen(), newOpen(), *mine, mine, []theirs{*mine}, map[string]theirs{"a": *mine}, &[]*theirs{mine},
		leaky.String, leaky.Hash(),
	}
}

// reflected returns the values that reflect finds in such a struct; fmt unwraps them.
func reflected() []any {
	fields := reflect.ValueOf(newTheirs()).Elem()
	return []any{reflect.ValueOf(leaky), fields, fields.Field(0), fields.Field(0).Field(1), fields.Field(1)}
}

// crashes end a process with the token at hand. They run in a process of their
// own, whose whole output is read: the runtime prints a panic by rules of its own,
// not by those of fmt.
var crashes = map[string]func(){
	"token":                       func() { panic(leaky) },
	"pointer to a token":          func() { panic(&leaky) },
	"registration":                func() { panic(leakyRegistration()) },
	"somebody's struct":           func() { panic(*newTheirs()) },
	"error":                       func() { panic(fmt.Errorf("no phone for %v", leaky)) },
	"error of errors":             func() { panic(errors.Join(fmt.Errorf("%+v", *newTheirs()), fmt.Errorf("%#v", leakyRequest()))) },
	"Stringer":                    func() { panic(fmt.Stringer(leaky)) },
	"panic while it is handled":   func() { defer func() { panic(leaky) }(); panic(leakyRegistration()) },
	"panic again":                 func() { defer func() { panic(recover()) }(); panic(leaky) },
	"comparison of interfaces":    func() { fmt.Println(any(leaky) == any(leaky)) },
	"map of interfaces":           func() { fmt.Println(map[any]bool{any(leaky): true}) },
	"wrong type assertion":        func() { fmt.Println(any(leaky).(fmt.GoStringer)) },
	"wrong type":                  func() { fmt.Println(any(leaky).(string)) },
	"reading an unexported field": func() { fmt.Println(reflect.ValueOf(*newTheirs()).Field(0).Interface()) },
	"text that is no token":       func() { tokens.MustParseToken("ExponentPushToken [" + secret + "]") },
	"goroutine with the token":    func() { deep(leaky, *newTheirs(), nil) },
}

// deep has the token in the arguments that a stack trace shows.
func deep(t tokens.Token, s theirs, p *int) int {
	if t.IsZero() {
		return deep(s.value, s, p)
	}
	return *p
}

const crashVariable = "DEVICETOKENS_TEST_CRASH"

func TestMain(m *testing.M) {
	if crash, ok := crashes[os.Getenv(crashVariable)]; ok {
		crash()
		os.Exit(0) // the parent wants a panic
	}
	os.Exit(m.Run())
}

func TestCrashes(t *testing.T) {
	for name := range crashes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), crashVariable+"="+name, "GOTRACEBACK=all")
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "panic: ") || !strings.Contains(string(out), "goroutine 1") {
				t.Fatalf("no panic, but error %v and %q", err, out)
			}
			wantNoLeak(t, "the panic", string(out))
			if name == "token" && !strings.Contains(string(out), leaky.String()) {
				t.Errorf("the panic does not show %s: %s", leaky, out)
			}
		})
	}
}

// Programs log the recovered value of a panic with fmt.
func TestRecovered(t *testing.T) {
	for name, crash := range crashes {
		func() {
			defer func() {
				r := recover()
				wantNoLeak(t, "recovered: "+name, fmt.Sprint(r)+fmt.Sprintf("%+v %#v %q", r, r, r))
				if r == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			crash()
		}()
	}
}

// TestLogged is what TestTestingLog watches from outside.
func TestLogged(t *testing.T) {
	for _, v := range carriers() {
		t.Log(v)
		t.Log("v", v, v)
		t.Logf("%v %+v", v, v)
	}
}

func TestTestingLog(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^TestLogged$")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestLogged") || !strings.Contains(string(out), leaky.String()) {
		t.Fatalf("error %v and %q", err, out)
	}
	wantNoLeak(t, "t.Log", string(out))
}
