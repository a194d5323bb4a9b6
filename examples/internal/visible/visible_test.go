package visible_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":            "-",
		"alice b":     "alice b",
		"élise 😀":     "élise 😀",
		" a":          `" a"`,
		`"a"`:         `"\"a\""`,
		"a\x1b[31m":   `"a\x1b[31m"`,
		"a\x7f":       `"a\x7f"`,
		"a\u009b":     `"a\u009b"`,
		"a\u202e":     `"a\u202e"`,
		"a\u2066":     `"a\u2066"`,
		"a\u200b":     `"a\u200b"`,
		"a\ufeff":     `"a\ufeff"`,
		"a\u2028":     `"a\u2028"`,
		"a\u3164":     `"a\u3164"`,
		"a\ufe0f":     `"a\ufe0f"`,
		"a\u034f":     `"a\u034f"`,
		"a\U000e0061": `"a\U000e0061"`,
		"a\xff":       `"a\xff"`,
	} {
		if got := visible.ID(in); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got, want := visible.Text("a\x1b\u202e\xff\né"), `a\x1b\u202e\xff`+"\né"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzJSON checks that JSON shows no hidden character and decodes to the same.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{"", "a\u202e\u200b\x7f\u009b\u2028", "\U000e0061\ufffd", "\\\"\n\t<&>\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "\ufffd")
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		text = visible.JSON(text)
		var got string
		if err := json.Unmarshal(text, &got); err != nil || got != s {
			t.Errorf("%q became %q, %v", s, got, err)
		}
		if strings.ContainsFunc(string(text), visible.Hidden) || !utf8.Valid(text) {
			t.Errorf("it shows %q", text)
		}
	})
}
