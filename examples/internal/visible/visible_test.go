package visible_test

import (
	"testing"

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
