package tokens_test

import (
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/tokens"
)

// texts are the rules that user, device and project ids have in common, on both
// sides of their limits.
var texts = map[string]tokens.Code{
	"u":        "",
	" ":        "",
	"𝒰𝓈𝑒𝓇":     "",
	"a#":       "",
	"a\u00a0b": "", // no-break space, the first after C1
	"a\u2028b": "", // line separator, not a control character
	"a\u202eb": "", // right-to-left override, not a control character
	"a\ufffdb": "",

	"a\x00b":   tokens.CodeControlCharacter,
	"a\n":      tokens.CodeControlCharacter,
	"a\x1fb":   tokens.CodeControlCharacter, // the last of C0
	"a\x7fb":   tokens.CodeControlCharacter,
	"a\u0080b": tokens.CodeControlCharacter, // the first of C1
	"a\u009fb": tokens.CodeControlCharacter, // the last of C1

	"a\xffb":         tokens.CodeInvalidUTF8,
	"a\xe2\x82":      tokens.CodeInvalidUTF8, // an incomplete character
	"a\xc0\xafb":     tokens.CodeInvalidUTF8, // an overlong slash
	"a\xed\xa0\x80b": tokens.CodeInvalidUTF8, // a surrogate
	"\xff\x00":       tokens.CodeInvalidUTF8,
}

// lengths are texts at a limit of n characters. A combining accent and each part of
// a joined emoji is a character.
func lengths(n int) map[string]tokens.Code {
	pairs := func(pair string) string { return strings.Repeat(pair, n/2) + strings.Repeat("x", n%2) }
	return map[string]tokens.Code{
		strings.Repeat("a", n):            "",
		strings.Repeat("a", n+1):          tokens.CodeTooLong,
		strings.Repeat("𝒰", n):            "",
		strings.Repeat("𝒰", n+1):          tokens.CodeTooLong,
		pairs("e\u0301"):                  "",
		pairs("e\u0301") + "\u0301":       tokens.CodeTooLong,
		pairs("👩\u200d"):                  "",
		pairs("👩\u200d") + "\u200d":       tokens.CodeTooLong,
		strings.Repeat("a", n+1) + "\x00": tokens.CodeControlCharacter,
		strings.Repeat("a", n+1) + "\xff": tokens.CodeInvalidUTF8,
	}
}

func TestIDs(t *testing.T) {
	for _, id := range []struct {
		field    string
		maxLen   int
		validate func(string) error
		empty    tokens.Code
		hash     tokens.Code // for a first character '#'
	}{
		{"userId", 255, func(s string) error { return tokens.UserID(s).Validate() }, tokens.CodeRequired, tokens.CodeReserved},
		{"userId", tokens.MaxUserIDLen, func(s string) error {
			return tokens.Key{UserID: tokens.UserID(s), DeviceID: "d"}.Validate()
		}, tokens.CodeRequired, tokens.CodeReserved},
		{"deviceId", 128, func(s string) error {
			return tokens.Key{UserID: "u", DeviceID: tokens.DeviceID(s)}.Validate()
		}, tokens.CodeRequired, ""},
		{"deviceId", tokens.MaxDeviceIDLen, func(s string) error { return tokens.DeviceID(s).Validate() }, tokens.CodeRequired, ""},
		{"projectId", tokens.MaxProjectIDLen, func(s string) error { return tokens.ProjectID(s).Validate() }, "", ""},
		{"projectId", 64, func(s string) error {
			req := validRequest()
			req.ProjectID = tokens.ProjectID(s)
			return req.Validate()
		}, "", ""},
	} {
		t.Run(id.field, func(t *testing.T) {
			for _, cases := range []map[string]tokens.Code{texts, lengths(id.maxLen), {"": id.empty, "#": id.hash, "#claim": id.hash}} {
				for text, want := range cases {
					if got := codeOf(t, id.validate(text), id.field); got != want {
						t.Errorf("%q: got code %q, want %q", text, got, want)
					}
				}
			}
		})
	}
}

func TestReservedHasPrecedence(t *testing.T) {
	for _, text := range []string{"#\xff", "#\x00", "#" + strings.Repeat("a", 300)} {
		if got := codeOf(t, tokens.UserID(text).Validate(), "userId"); got != tokens.CodeReserved {
			t.Errorf("got code %q, want %q", got, tokens.CodeReserved)
		}
	}
}

func TestKeyIsZero(t *testing.T) {
	for key, want := range map[tokens.Key]bool{{}: true, {UserID: "u"}: false, {DeviceID: "d"}: false} {
		if key.IsZero() != want {
			t.Errorf("%v is zero: %t, want %t", key, !want, want)
		}
	}
}

func TestPlatforms(t *testing.T) {
	for platform, want := range map[tokens.Platform]tokens.Code{
		"ios": "", "android": "",
		"": tokens.CodeRequired, "IOS": tokens.CodeUnknown, "ios ": tokens.CodeUnknown, "windows": tokens.CodeUnknown,
	} {
		if got := codeOf(t, platform.Validate(), "platform"); got != want {
			t.Errorf("%q: got code %q, want %q", platform, got, want)
		}
	}
}
