package tokens_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/tokens"
)

// secret shares no run of five bytes with the text that is printed around a token.
const secret = "qZ7xW2vK9tRjYpL4mN8sHg"

var leaky = tokens.MustParseToken("ExponentPushToken[" + secret + "]")

// parts finds each five bytes of the secret, in any encoding.
var parts = func() *leak.Trace {
	var t leak.Trace
	for i := range len(secret) - leak.MinLen + 1 {
		t.Add(secret[i : i+leak.MinLen])
	}
	return &t
}()

func wantNoLeak(t *testing.T, what, out string) {
	t.Helper()
	if shown := parts.Find(out); shown != "" {
		t.Errorf("%s shows %s in %q", what, shown, out)
	}
}

// holder is a struct with unexported fields. fmt may not call methods of a value in them.
type holder struct {
	value   tokens.Token
	pointer *tokens.Token
	inside  open
	deeper  *holder
}

type open struct {
	Value   tokens.Token
	Pointer *tokens.Token
	Slice   []tokens.Token
	ByName  map[string]tokens.Token
	Dynamic any
	Omitted tokens.Token `json:",omitzero"`
	Request tokens.Request
	Regs    []tokens.Registration
}

type embedding struct{ tokens.Token }

type embeddingPointer struct{ *tokens.Token }

func leakyRegistration() tokens.Registration {
	req := validRequest()
	return tokens.Registration{Key: req.Key, Token: leaky, Platform: req.Platform, Status: tokens.Active}
}

func leakyRequest() tokens.Request {
	req := validRequest()
	req.Token = leaky
	return req
}

func newHolder() *holder {
	s := holder{value: leaky, pointer: &leaky, inside: *newOpen()}
	deeper := s
	s.deeper = &deeper
	return &s
}

func newOpen() *open {
	return &open{
		Value: leaky, Pointer: &leaky, Slice: []tokens.Token{leaky}, ByName: map[string]tokens.Token{"a": leaky},
		Dynamic: &leaky, Omitted: leaky, Request: leakyRequest(), Regs: []tokens.Registration{leakyRegistration()},
	}
}

// carriers are values that have the token somewhere.
func carriers() []any {
	reg, mine := leakyRegistration(), newHolder()
	pointer := &leaky
	return []any{
		leaky, pointer, &pointer, []*tokens.Token{pointer}, [1]tokens.Token{leaky}, []any{leaky, pointer},
		leakyRequest(), &reg, []tokens.Registration{reg}, map[tokens.Key]tokens.Registration{reg.Key: reg},
		struct{ any }{leaky}, struct{ fmt.Stringer }{leaky}, &embedding{leaky}, embeddingPointer{&leaky},
		newOpen(), *mine, mine, []holder{*mine}, map[string]holder{"a": *mine}, leaky.String, leaky.Hash(),
	}
}

// Every verb that exists or may be added, with flags, a width and a precision.
func TestFormatting(t *testing.T) {
	if parts.Find(fmt.Sprintf("%x", secret[5:11])) == "" {
		t.Fatal("a part of the secret is not found")
	}
	flags := []string{"", "+", "-", "#", "0", " ", "+#", "20", "5.2", "+#- 040.30", "[1]"}
	fields := reflect.ValueOf(newHolder()).Elem() // fmt prints the value that a reflect.Value holds
	reflected := []any{reflect.ValueOf(leaky), fields, fields.Field(0), fields.Field(0).Field(1), fields.Field(1)}
	for _, v := range slices.Concat(carriers(), reflected) {
		var out strings.Builder
		for verb := 'A'; verb <= 'z'; verb++ {
			if 'Z' < verb && verb < 'a' {
				continue
			}
			for _, flag := range flags {
				fmt.Fprintf(&out, "%"+flag+string(verb)+"\n", v)
			}
		}
		for _, misuse := range []string{"%v %v", "%%", "%!", "%", "%é", "%[3]d", "%[0]v", "%[x]v", "%*d", "%.*d", "no verb"} {
			fmt.Fprintf(&out, misuse+"\n", v)
			fmt.Fprintf(&out, misuse+"\n", v, v)
		}
		fmt.Fprint(&out, v, v, fmt.Errorf("%v %+v", v, v))
		wantNoLeak(t, fmt.Sprintf("printing a %T", v), out.String())
	}
}

// Where fmt may call methods, it shows the digits of the hash.
func TestFormattedText(t *testing.T) {
	hash := leaky.Hash()
	want := "Token(" + hash.String() + ")"
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%20s", "%.3s", "%t", "%U"} {
		for _, v := range []any{leaky, &leaky} {
			if got := fmt.Sprintf(format, v); got != want {
				t.Errorf("%s of a %T: got %s, want %s", format, v, got, want)
			}
		}
	}
}

func TestSlog(t *testing.T) {
	// Handlers that know no Stringer resolve LogValue.
	if got := slog.AnyValue(leaky).Resolve(); got.Kind() != slog.KindString || got.String() != leaky.String() {
		t.Errorf("got %v, want the string %s", got, leaky)
	}
	var b bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		l := slog.New(handler)
		for _, v := range carriers() {
			b.Reset()
			l.Info("in a group", "v", v, slog.Group("g", "v", v, slog.Group("h", slog.Any("v", v))))
			l.With("v", v).WithGroup("g").Info("before and without a key", v)
			l.Info("inside", "struct", struct{ V any }{v}, "map", map[string]any{"v": v})
			wantNoLeak(t, fmt.Sprintf("slog of a %T", v), b.String())
		}
		b.Reset()
		l.Info("", "token", leaky, "pointer", &leaky, "struct", struct{ Token tokens.Token }{leaky})
		if got := strings.Count(b.String(), leaky.String()); got != 3 {
			t.Errorf("the redacted form shows %d times, want 3: %s", got, &b)
		}
	}
}

func toGob(v any) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func TestEncoding(t *testing.T) {
	for name, encode := range map[string]func(any) ([]byte, error){"json": json.Marshal, "gob": toGob, "xml": xml.Marshal} {
		for _, v := range carriers() {
			// Some of these cannot be encoded, and then the error must not show the secret.
			data, err := encode(v)
			wantNoLeak(t, fmt.Sprintf("%s of a %T", name, v), string(data)+fmt.Sprint(err))
		}
		for _, v := range []any{leaky, []tokens.Token{leaky}, leakyRegistration()} {
			if data, err := encode(v); err != nil || !strings.Contains(string(data), leaky.String()) {
				t.Errorf("%s of a %T is %q, %v; want the redacted form", name, v, data, err)
			}
		}
	}
	if data, err := json.Marshal(newOpen()); err != nil || strings.Count(string(data), leaky.String()) != 8 {
		t.Errorf("the redacted form is not in every field of %s, %v", data, err)
	}
	if data, err := json.Marshal(open{}); err != nil || strings.Contains(string(data), "Omitted") {
		t.Errorf("the zero Token is not omitted: %s, %v", data, err)
	}
}

// To decode a registration that was cached is an error. It does not have a redacted
// text for its token.
func TestDecodingFails(t *testing.T) {
	inJSON, err := json.Marshal(leakyRegistration())
	if err != nil {
		t.Fatal(err)
	}
	inGob, err := toGob(leakyRegistration())
	if err != nil {
		t.Fatal(err)
	}
	for _, into := range []any{&tokens.Registration{}, &tokens.Request{}} {
		if json.Unmarshal(inJSON, into) == nil {
			t.Errorf("json decodes a %T", into)
		}
		if gob.NewDecoder(bytes.NewReader(inGob)).Decode(into) == nil {
			t.Errorf("gob decodes a %T", into)
		}
	}
	var fromText tokens.Registration
	if err := json.Unmarshal([]byte(`{"Token":"ExpoPushToken[x]"}`), &fromText); err == nil || !fromText.Token.IsZero() {
		t.Error("json decodes a token's text")
	}
}

func TestTemplates(t *testing.T) {
	const page = `<p title="{{.}}">{{print .}} {{html .}} {{js .}}</p><a href="/?t={{.}}">{{printf "%v %x" . .}}</a>` +
		`<script>var v = {{.}}; var s = "{{.}}"</script><style>p{color:{{.}}}</style>`
	for _, v := range carriers() {
		var b strings.Builder
		err := template.Must(template.New("").Parse(page)).Execute(&b, v)
		wantNoLeak(t, fmt.Sprintf("a template of a %T", v), b.String()+fmt.Sprint(err))
	}
}

func TestDiff(t *testing.T) {
	a, b := leakyRegistration(), leakyRegistration()
	b.Token, b.Platform = tokens.MustParseToken("ExpoPushToken["+secret[1:]+"]"), tokens.Android
	if diff := cmp.Diff(a, b); !strings.Contains(diff, a.Token.String()) || !strings.Contains(diff, b.Token.String()) {
		t.Errorf("cmp.Diff does not show %s and %s:\n%s", a.Token, b.Token, diff)
	}
	for what, diff := range map[string]string{
		"registrations":        cmp.Diff(a, b),
		"slices":               cmp.Diff([]tokens.Registration{a}, []tokens.Registration{b, a}),
		"a token and no token": cmp.Diff(a.Token, tokens.Token{}),
		"two types":            cmp.Diff(any(a.Token), any("text")),
		"unexported fields": cmp.Diff(*newHolder(), holder{}, cmp.Exporter(func(r reflect.Type) bool {
			return r.PkgPath() != "time" && r != reflect.TypeFor[tokens.Token]()
		})),
	} {
		if diff == "" {
			t.Errorf("%s do not differ", what)
		}
		wantNoLeak(t, "cmp.Diff of "+what, diff)
	}
}

// crashes end a process that has the token. They run in a process of their own,
// whose whole output is searched: the runtime prints a panic without package fmt.
var crashes = map[string]func(){
	"token":                       func() { panic(leaky) },
	"registration":                func() { panic(leakyRegistration()) },
	"struct":                      func() { panic(*newHolder()) },
	"error of errors":             func() { panic(errors.Join(fmt.Errorf("%+v", *newHolder()), fmt.Errorf("%#v", leakyRequest()))) },
	"panic while it is handled":   func() { defer func() { panic(leaky) }(); panic(leakyRegistration()) },
	"comparison of interfaces":    func() { fmt.Println(any(leaky) == any(leaky)) },
	"wrong type":                  func() { fmt.Println(any(leaky).(string)) },
	"reading an unexported field": func() { fmt.Println(reflect.ValueOf(*newHolder()).Field(0).Interface()) },
	"text that is no token":       func() { tokens.MustParseToken("ExponentPushToken [" + secret + "]") },
	"goroutine with the token":    func() { deep(leaky, *newHolder(), nil) },
}

// deep has the token in the arguments that a stack trace shows.
func deep(t tokens.Token, s holder, p *int) int {
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
	for name, crash := range crashes {
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
			defer func() { // programs log a recovered value with fmt
				r := recover()
				wantNoLeak(t, "the recovered value", fmt.Sprintf("%v %+v %#v %q", r, r, r, r))
			}()
			crash()
		})
	}
}
