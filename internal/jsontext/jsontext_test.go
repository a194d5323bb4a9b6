package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestIsUnicode(t *testing.T) {
	for text, want := range map[string]bool{
		`{"sub":"u"}`:                           true,
		`{"sub":"\ufffd"}`:                      true,
		`{"sub":"\ud83d\ude00"}`:                true,
		`{"sub":"\\ud800"}`:                     true, // an escaped backslash
		`{"sub":"\\\ud800"}`:                    false,
		`{"sub":"\ud800"}`:                      false,
		`{"sub":"\uDC00\ud83d"}`:                false,
		`{"sub":"\ud83d\ud83d\ude00"}`:          false,
		`{"a":["\ud83d\ude00",{"b":"\uDBFF"}]}`: false,
		`{"\udfff":1}`:                          false,
		"{\"sub\":\"\xff\"}":                    false,
		"{\"sub\":\"\xed\xa0\x80\"}":            false, // a surrogate in UTF-8
	} {
		if got := IsUnicode([]byte(text)); got != want {
			t.Errorf("%s: %t, want %t", text, got, want)
		}
	}
}

// FuzzIsUnicode compares with what encoding/json makes of a string.
func FuzzIsUnicode(f *testing.F) {
	for _, seed := range []string{`u`, `\ud800`, `\ud83d\ude00\\\udfff`, "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, inner string) {
		data := []byte(`"` + inner + `"`)
		var text string
		if json.Unmarshal(data, &text) != nil {
			return
		}
		const replacement = "\ufffd"
		written := strings.Count(inner, replacement) + strings.Count(strings.ToLower(inner), `\ufffd`)
		replaced := strings.Count(text, replacement) > written || !utf8.ValidString(inner)
		if replaced && IsUnicode(data) {
			t.Errorf("%q is decoded to %q", data, text)
		}
		if strings.Count(text, replacement) == 0 && !IsUnicode(data) {
			t.Errorf("%q is refused, and decoded to %q", data, text)
		}
	})
}
