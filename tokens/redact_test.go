package tokens_test

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"expvar"
	"fmt"
	htmltemplate "html/template"
	"log"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

// Every verb that there is or may come to be, with all flags, a width and a
// precision.
func TestFormatting(t *testing.T) {
	flags := []string{"", "+", "-", "#", "0", " ", "+#", "20", "5.2", "+#- 040.30", "[1]"}
	for _, v := range slices.Concat(carriers(), reflected()) {
		for verb := 'A'; verb <= 'z'; verb++ {
			if 'Z' < verb && verb < 'a' {
				continue
			}
			for _, flag := range flags {
				format := "%" + flag + string(verb)
				wantNoLeak(t, fmt.Sprintf("%s of a %T", format, v), fmt.Sprintf(format, v))
			}
		}
		for _, misuse := range []string{"%v %v", "%%", "%!", "%", "%é", "%[3]d", "%[0]v", "%[x]v", "%*d", "%.*d", "%w", "no verb"} {
			wantNoLeak(t, fmt.Sprintf("%s of a %T", misuse, v), fmt.Sprintf(misuse, v)+fmt.Sprintf(misuse, v, v))
			wantNoLeak(t, fmt.Sprintf("an error with %s of a %T", misuse, v), errors.Join(fmt.Errorf(misuse, v), fmt.Errorf(misuse, v, v)).Error())
		}
		out := fmt.Sprint(v) + fmt.Sprint(v, v) + fmt.Sprintln(v, v) + string(fmt.Append(nil, v)) + logged(v)
		wantNoLeak(t, fmt.Sprintf("printing a %T", v), out)
	}
}

func logged(v any) string {
	var b strings.Builder
	l := log.New(&b, "", 0)
	l.Print(v)
	l.Printf("%#v", v)
	l.Println(v)
	return b.String()
}

// Where fmt may call methods, it shows the digits to correlate by.
func TestFormattedText(t *testing.T) {
	hash := leaky.Hash()
	want := "Token(" + hex.EncodeToString(hash[:4]) + ")"
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%20s", "%.3s", "%t", "%U"} {
		for _, v := range []any{leaky, &leaky} {
			if got := fmt.Sprintf(format, v); got != want {
				t.Errorf("%s of a %T: got %s, want %s", format, v, got, want)
			}
		}
	}
	if got := fmt.Sprintf("%v", []tokens.Token{leaky, {}}); got != "["+want+" Token()]" {
		t.Errorf("got %s, want [%s Token()]", got, want)
	}
}

// Handlers that know no Stringer resolve LogValue.
func TestLogValue(t *testing.T) {
	if got := slog.AnyValue(leaky).Resolve(); got.Kind() != slog.KindString || got.String() != leaky.String() {
		t.Errorf("got %v, want the string %s", got, leaky)
	}
}

func TestSlog(t *testing.T) {
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range carriers() {
				var b bytes.Buffer
				l := slog.New(handler(&b))
				l.Info("as an argument", "v", v)
				l.Info("as an attribute", slog.Any("v", v))
				l.Info("in a group", slog.Group("g", "v", v, slog.Group("h", slog.Any("v", v))))
				l.With("v", v).WithGroup("g").With("v", v).Info("before")
				l.Info("without a key", v)
				l.Info("in a struct", "v", struct{ V any }{v})
				l.Info("in a map", "v", map[string]any{"v": v})
				l.Info(fmt.Sprint(v))
				wantNoLeak(t, fmt.Sprintf("slog of a %T", v), b.String())
			}

			var b bytes.Buffer
			slog.New(handler(&b)).Info("", "token", leaky, "pointer", &leaky, "struct", struct{ Token tokens.Token }{leaky})
			if got := strings.Count(b.String(), leaky.String()); got != 3 {
				t.Errorf("the redacted form shows %d times, want 3: %s", got, &b)
			}
		})
	}
}

func marshal(t *testing.T, marshal func(any) ([]byte, error), v any) string {
	t.Helper()
	data, err := marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEncoding(t *testing.T) {
	indent := func(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") }
	toGob := func(v any) ([]byte, error) {
		var b bytes.Buffer
		err := gob.NewEncoder(&b).Encode(v)
		return b.Bytes(), err
	}
	for _, v := range carriers() {
		for name, encode := range map[string]func(any) ([]byte, error){
			"json": json.Marshal, "json, indented": indent, "gob": toGob, "xml": xml.Marshal,
		} {
			// Some of these cannot be encoded, and then the error must not show it.
			data, err := encode(v)
			wantNoLeak(t, fmt.Sprintf("%s of a %T", name, v), string(data)+fmt.Sprint(err))
		}
	}
	for name, out := range map[string]string{
		"json": marshal(t, json.Marshal, leaky), "json of a pointer": marshal(t, json.Marshal, &leaky),
		"json of a slice": marshal(t, json.Marshal, []tokens.Token{leaky}), "json of a struct": marshal(t, json.Marshal, newOpen().Reg),
		"json of a map": marshal(t, json.Marshal, map[string]tokens.Token{"a": leaky}), "json with omitzero": marshal(t, json.Marshal, newOpen()),
		"gob": marshal(t, toGob, leaky), "gob of a struct": marshal(t, toGob, newOpen().Reg),
		"xml": marshal(t, xml.Marshal, leaky), "xml of a struct": marshal(t, xml.Marshal, newOpen().Reg),
	} {
		if !strings.Contains(out, leaky.String()) {
			t.Errorf("%s does not show the redacted form: %q", name, out)
		}
	}
	var zero struct {
		Token tokens.Token `json:"token,omitzero"`
	}
	if got := marshal(t, json.Marshal, zero); got != "{}" {
		t.Errorf("the zero Token is not omitted: %s", got)
	}
}

// A registration that was cached comes back as an error, not with a redacted
// text for a token.
func TestDecodingFails(t *testing.T) {
	reg := leakyRegistration()
	for name, into := range map[string]any{
		"a token":          &tokens.Token{},
		"a pointer to one": new(*tokens.Token),
		"a registration":   &tokens.Registration{},
		"a request":        &tokens.Request{},
	} {
		from := any(reg)
		if !strings.HasPrefix(name, "a re") {
			from = leaky
		}
		if err := json.Unmarshal([]byte(marshal(t, json.Marshal, from)), into); err == nil {
			t.Errorf("json decodes %s", name)
		}
		var b bytes.Buffer
		if err := gob.NewEncoder(&b).Encode(from); err != nil {
			t.Fatal(err)
		}
		if err := gob.NewDecoder(&b).Decode(into); err == nil {
			t.Errorf("gob decodes %s", name)
		}
	}
	var fromText tokens.Registration
	if err := json.Unmarshal([]byte(`{"Token":"ExpoPushToken[x]"}`), &fromText); err == nil || !fromText.Token.IsZero() {
		t.Error("json decodes a token's text")
	}
	for _, v := range []any{&leaky, leaky} {
		if _, ok := v.(interface{ UnmarshalText([]byte) error }); ok {
			t.Error("a Token can be unmarshalled")
		}
		if _, ok := v.(interface{ GobDecode([]byte) error }); ok {
			t.Error("a Token can be decoded")
		}
	}
}

func TestTemplates(t *testing.T) {
	const text = `{{.}} {{printf "%v %s %q %x" . . . .}} {{print .}} {{html .}} {{js .}} {{urlquery .}}`
	const page = `<p title="{{.}}">{{.}}</p><a href="/?t={{.}}">{{.}}</a><script>var v = {{.}}; var s = "{{.}}"</script><style>p{color:{{.}}}</style>`
	for _, v := range carriers() {
		var b strings.Builder
		err := template.Must(template.New("").Parse(text)).Execute(&b, v)
		wantNoLeak(t, fmt.Sprintf("text/template of a %T", v), b.String()+fmt.Sprint(err))
		b.Reset()
		err = htmltemplate.Must(htmltemplate.New("").Parse(page)).Execute(&b, v)
		wantNoLeak(t, fmt.Sprintf("html/template of a %T", v), b.String()+fmt.Sprint(err))
	}
}

func TestExpvar(t *testing.T) {
	for _, v := range carriers() {
		wantNoLeak(t, fmt.Sprintf("expvar of a %T", v), expvar.Func(func() any { return v }).String())
	}
}

func TestDiff(t *testing.T) {
	a, b := leakyRegistration(), leakyRegistration()
	b.Token, b.Platform = tokens.MustParseToken("ExpoPushToken["+secret[1:]+"]"), tokens.Android
	diff := cmp.Diff(a, b)
	wantNoLeak(t, "cmp.Diff", diff)
	for _, token := range []tokens.Token{a.Token, b.Token} {
		if !strings.Contains(diff, token.String()) {
			t.Errorf("cmp.Diff does not show %s:\n%s", token, diff)
		}
	}
	for what, diff := range map[string]string{
		"slices":                cmp.Diff([]tokens.Registration{a}, []tokens.Registration{b, a}),
		"maps":                  cmp.Diff(map[string]tokens.Token{"a": a.Token}, map[string]tokens.Token{"b": b.Token}),
		"a token and no token":  cmp.Diff(a.Token, tokens.Token{}),
		"two types":             cmp.Diff(any(a.Token), any("text")),
		"pointers":              cmp.Diff(&a, &b),
		"the fields of others'": cmp.Diff(*newTheirs(), theirs{}, cmp.Exporter(func(r reflect.Type) bool { return r.PkgPath() != "time" && r != reflect.TypeFor[tokens.Token]() })),
	} {
		if diff == "" {
			t.Errorf("%s do not differ", what)
		}
		wantNoLeak(t, "cmp.Diff of "+what, diff)
	}
}
