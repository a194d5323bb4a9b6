package tokens_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

// texts are the rules that user, device and project ids have in common, each at
// both of its sides. A field is built of them by its own limit.
var texts = []struct {
	name string
	text string
	want tokens.Code
}{
	{"ASCII", "user-1", ""},
	{"one character", "u", ""},
	{"a space", " ", ""},
	{"four bytes a character", "𝒰𝓈𝑒𝓇", ""},
	{"'#' after the first character", "a#", ""},
	{"no-break space, the first after C1", "a\u00a0b", ""},
	{"line separator, which is no control character", "a\u2028b", ""},
	{"right-to-left override, which is none either", "a\u202eb", ""},
	{"replacement character, spelled out", "a\ufffdb", ""},
	{"NUL", "a\x00b", tokens.CodeControlCharacter},
	{"tab", "a\tb", tokens.CodeControlCharacter},
	{"line feed at the end", "a\n", tokens.CodeControlCharacter},
	{"unit separator, the last of C0", "a\x1fb", tokens.CodeControlCharacter},
	{"DEL", "a\x7fb", tokens.CodeControlCharacter},
	{"the first of C1", "a\u0080b", tokens.CodeControlCharacter},
	{"next line, of C1", "a\u0085b", tokens.CodeControlCharacter},
	{"the last of C1", "a\u009fb", tokens.CodeControlCharacter},
	{"a stray byte", "a\xffb", tokens.CodeInvalidUTF8},
	{"half a character", "a\xe2\x82", tokens.CodeInvalidUTF8},
	{"an overlong slash", "a\xc0\xafb", tokens.CodeInvalidUTF8},
	{"a surrogate", "a\xed\xa0\x80b", tokens.CodeInvalidUTF8},
	{"a stray byte and a control character", "\xff\x00", tokens.CodeInvalidUTF8},
}

// lengths are texts at a limit of n characters.
func lengths(n int) map[string]tokens.Code {
	return map[string]tokens.Code{
		strings.Repeat("a", n):                               "",
		strings.Repeat("a", n+1):                             tokens.CodeTooLong,
		strings.Repeat("é", n):                               "",
		strings.Repeat("é", n+1):                             tokens.CodeTooLong,
		strings.Repeat("𝒰", n):                               "",
		strings.Repeat("𝒰", n+1):                             tokens.CodeTooLong,
		strings.Repeat("e\u0301", n/2) + tail(n):             "", // a combining accent is a character
		strings.Repeat("e\u0301", n/2) + tail(n) + "\u0301":  tokens.CodeTooLong,
		strings.Repeat("a", n+1) + "\x00":                    tokens.CodeControlCharacter,
		strings.Repeat("a", n+1) + "\xff":                    tokens.CodeInvalidUTF8,
		strings.Repeat("👩\u200d", n/2) + tail(n):             "", // and so is each part of a joined emoji
		strings.Repeat("👩\u200d", n/2) + tail(n) + "\u200d👩": tokens.CodeTooLong,
	}
}

// tail is what pairs of characters lack to n.
func tail(n int) string { return strings.Repeat("x", n%2) }

// codeOf returns the code of the one bad field of err, "" if err is nil.
func codeOf(t *testing.T, err error, field string) tokens.Code {
	t.Helper()
	if err == nil {
		return ""
	}
	fields := fieldsOf(t, err)
	if len(fields) != 1 || fields[0].Field != field {
		t.Fatalf("got error %v, want one of field %s", err, field)
	}
	return fields[0].Code
}

func TestIDs(t *testing.T) {
	ids := []struct {
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
	}
	for _, id := range ids {
		t.Run(id.field, func(t *testing.T) {
			check := func(name, text string, want tokens.Code) {
				t.Helper()
				if got := codeOf(t, id.validate(text), id.field); got != want {
					t.Errorf("%s: got code %q, want %q", name, got, want)
				}
			}
			check("empty", "", id.empty)
			check("a lone '#'", "#", id.hash)
			check("'#' first", "#claim", id.hash)
			for _, tt := range texts {
				check(tt.name, tt.text, tt.want)
			}
			for text, want := range lengths(id.maxLen) {
				check("at the limit", text, want)
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

func TestLengthConstants(t *testing.T) {
	want := []int{255, 128, 64, 255}
	got := []int{tokens.MaxUserIDLen, tokens.MaxDeviceIDLen, tokens.MaxProjectIDLen, tokens.MaxTokenBytes}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("limits that apps rely on have changed (-want +got):\n%s", diff)
	}
}

func TestKeyIsZero(t *testing.T) {
	if !(tokens.Key{}).IsZero() {
		t.Error("the zero Key is not zero")
	}
	for _, k := range []tokens.Key{{UserID: "u"}, {DeviceID: "d"}, {UserID: "u", DeviceID: "d"}} {
		if k.IsZero() {
			t.Errorf("%v is zero", k)
		}
	}
}

func TestKeyNamesBothFields(t *testing.T) {
	want := []tokens.FieldError{{Field: "userId", Code: tokens.CodeReserved}, {Field: "deviceId", Code: tokens.CodeTooLong}}
	err := tokens.Key{UserID: "#u", DeviceID: tokens.DeviceID(strings.Repeat("d", 129))}.Validate()
	if diff := cmp.Diff(want, fieldsOf(t, err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Two texts that look alike are two ids: nothing is normalized, trimmed or folded.
func TestIDsAreBytes(t *testing.T) {
	a := tokens.Key{UserID: "é", DeviceID: "d"}
	for _, b := range []tokens.Key{{UserID: "e\u0301", DeviceID: "d"}, {UserID: "É", DeviceID: "d"}, {UserID: "é ", DeviceID: "d"}} {
		if a == b {
			t.Errorf("%q and %q are one key", a, b)
		}
		if err := b.Validate(); err != nil {
			t.Errorf("%q: %v", b, err)
		}
	}
}
