package tokens_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/tokens"
)

const bare = "1a2B3c4D-aaaa-BBBB-0000-0123456789aZ"

func TestParseToken(t *testing.T) {
	inner := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		name, text string
		want       tokens.Code
	}{
		{"as Expo issues it", "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]", ""},
		{"the shorter prefix", "ExpoPushToken[xxxxxxxxxxxxxxxxxxxxxx]", ""},
		{"the bare form", bare, ""},
		{"the bare form in brackets", "ExponentPushToken[" + bare + "]", ""},
		{"255 bytes", "ExponentPushToken[" + inner(236) + "]", ""},
		{"255 bytes of the shorter", "ExpoPushToken[" + inner(240) + "]", ""},

		{"nothing", "", tokens.CodeRequired},
		{"256 bytes", "ExponentPushToken[" + inner(237) + "]", tokens.CodeTooLong},
		{"256 bytes of the shorter", "ExpoPushToken[" + inner(241) + "]", tokens.CodeTooLong},
		{"256 bytes of no token", inner(256), tokens.CodeTooLong},
		{"255 bytes of no token", inner(255), tokens.CodeMalformed},

		{"a space before it", " ExpoPushToken[x]", tokens.CodeMalformed},
		{"a line feed after it", "ExpoPushToken[x]\n", tokens.CodeMalformed},
		{"nothing between the brackets", "ExponentPushToken[]", tokens.CodeMalformed},
		{"no closing bracket", "ExponentPushToken[x", tokens.CodeMalformed},
		{"the prefix alone", "ExponentPushToken[", tokens.CodeMalformed},
		{"the suffix alone", "]", tokens.CodeMalformed},
		{"a bracket inside", "ExpoPushToken[x]]", tokens.CodeMalformed},
		{"two tokens", "ExpoPushToken[x]ExpoPushToken[y]", tokens.CodeMalformed},
		{"another case", "exponentpushtoken[x]", tokens.CodeMalformed},
		{"another prefix", "FCMToken[x]", tokens.CodeMalformed},
		{"the redacted form", "Token(1f2e3d4c)", tokens.CodeMalformed},

		{"bare, the Kelvin sign", "1a2B3c4\u212a-aaaa-BBBB-0000-0123456789aZ", tokens.CodeMalformed},
		{"bare, the Kelvin sign and the right length in bytes", "1a2B3\u212a-aaaa-BBBB-0000-0123456789aZ", tokens.CodeMalformed},
		{"bare, one character less", bare[1:], tokens.CodeMalformed},
		{"bare, one more", bare + "0", tokens.CodeMalformed},
		{"bare, a letter for a hyphen", strings.Replace(bare, "-", "a", 1), tokens.CodeMalformed},
		{"bare, a hyphen for a letter", "-" + bare[1:], tokens.CodeMalformed},
		{"an APNs token", strings.Repeat("0f", 32), tokens.CodeMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token, err := tokens.ParseToken(tt.text)
			if got := codeOf(t, err, "expoPushToken"); got != tt.want {
				t.Fatalf("got code %q, want %q", got, tt.want)
			}
			if token.IsZero() != (err != nil) || (token.Validate() == nil) != (err == nil) {
				t.Errorf("error %v; zero: %t; invalid: %v", err, token.IsZero(), token.Validate())
			}
			if err == nil && token.Reveal() != tt.text {
				t.Error("another spelling came out")
			}
		})
	}
}

// Each byte alone between the brackets, and in the bare form.
func TestParseTokenBytes(t *testing.T) {
	const inner = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ\\^_`abcdefghijklmnopqrstuvwxyz{|}~"
	const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var gotInner, gotBare []byte
	for b := range 256 {
		c := string([]byte{byte(b)})
		if _, err := tokens.ParseToken("ExpoPushToken[" + c + "]"); err == nil {
			gotInner = append(gotInner, byte(b))
		}
		if _, err := tokens.ParseToken(bare[:35] + c); err == nil {
			gotBare = append(gotBare, byte(b))
		}
	}
	if diff := cmp.Diff(inner, string(gotInner)); diff != "" {
		t.Errorf("between brackets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(alphanumeric, string(gotBare)); diff != "" {
		t.Errorf("bare (-want +got):\n%s", diff)
	}
}

func TestZeroToken(t *testing.T) {
	var zero tokens.Token
	if got := codeOf(t, zero.Validate(), "expoPushToken"); got != tokens.CodeRequired || !zero.IsZero() {
		t.Errorf("got code %q, want %q; zero: %t", got, tokens.CodeRequired, zero.IsZero())
	}
	if zero.Reveal() != "" || zero.Spellings() != nil || zero.String() != "Token()" {
		t.Errorf("%s has the text %q and the spellings %q", zero, zero.Reveal(), zero.Spellings())
	}
	valid := tokens.MustParseToken(bare)
	if !zero.Equal(tokens.Token{}) || zero.Equal(valid) || valid.Equal(zero) {
		t.Error("the zero Token does not equal itself alone")
	}
}

// Two spellings are one token, so code that compares them with == must not compile.
func TestTokenIsNotComparable(t *testing.T) {
	for _, of := range []reflect.Type{
		reflect.TypeFor[tokens.Token](), reflect.TypeFor[tokens.Registration](), reflect.TypeFor[tokens.Request](),
	} {
		if of.Comparable() {
			t.Errorf("a %v is comparable", of)
		}
	}
	if size, want := reflect.TypeFor[tokens.Token]().Size(), reflect.TypeFor[*string]().Size(); size != want {
		t.Errorf("a Token has %d bytes, want those of a pointer, %d", size, want)
	}
}

func TestMustParseToken(t *testing.T) {
	defer func() {
		if got, want := recover(), "tokens: invalid expoPushToken (malformed)"; got != want {
			t.Errorf("panic with %v, want %q", got, want)
		}
	}()
	tokens.MustParseToken("ExponentPushToken[secret secret]")
}

// grammar is the format again, written another way.
var grammar = regexp.MustCompile(`^(Expo(nent)?PushToken\[[!-Z\\^-~]+\]|[0-9A-Za-z]{8}(-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12})$`)

// anyToken generates texts of tokens. It has few identities, so that two texts are
// often spellings of one token.
var anyToken = rapid.OneOf(
	rapid.Custom(func(t *rapid.T) string {
		id := rapid.SampledFrom([]string{"x", "y", "xx", bare, "0a2B3c4D" + bare[8:]}).Draw(t, "identity")
		return rapid.SampledFrom(spell(id)).Draw(t, "spelling")
	}),
	rapid.StringMatching(`Expo(nent)?PushToken\[[!-Z\\^-~]{1,236}\]`),
	rapid.StringMatching(`[0-9A-Za-z]{8}(-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}`),
)

// spell returns the texts of the token with that identity.
func spell(identity string) []string {
	all := []string{"ExponentPushToken[" + identity + "]", "ExpoPushToken[" + identity + "]", identity}
	return slices.DeleteFunc(all, func(s string) bool { return !grammar.MatchString(s) || len(s) > tokens.MaxTokenBytes })
}

func identityOf(text string) string {
	_, inner, ok := strings.Cut(strings.TrimSuffix(text, "]"), "[")
	if !ok {
		return text
	}
	return inner
}

func TestEqualIsIdentityIsHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyToken.Draw(t, "a"), anyToken.Draw(t, "b")
		want := identityOf(a) == identityOf(b)
		first, second := tokens.MustParseToken(a), tokens.MustParseToken(b)
		got := []bool{first.Equal(second), second.Equal(first), first.Hash() == second.Hash(), cmp.Equal(first, second)}
		if slices.Contains(got, !want) {
			t.Fatalf("Equal, Equal the other way, Hash and cmp return %t, want %t", got, want)
		}
	})
}

func TestParsingKeepsNothingOfItsArgument(t *testing.T) {
	const text = "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]"
	body := strings.Repeat(" ", 1<<20) + text
	token := tokens.MustParseToken(body[1<<20:])
	if unsafe.StringData(token.Reveal()) == unsafe.StringData(body[1<<20:]) {
		t.Error("a token keeps the request body that it came with in memory")
	}
}

func FuzzParseToken(f *testing.F) {
	for _, seed := range []string{
		"", bare, "ExpoPushToken[x]", "ExponentPushToken[" + bare + "]", "ExpoPushToken[[x]]", "ExpoPushToken[\u212a]",
		"ExpoPushToken[" + strings.Repeat("x", 240) + "]", "1a2B3\u212a-aaaa-BBBB-0000-0123456789aZ",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := tokens.ParseToken(text)
		if want := len(text) <= tokens.MaxTokenBytes && grammar.MatchString(text); want != (err == nil) {
			t.Fatalf("got error %v for a text that the format allows: %t", err, want)
		}
		if err != nil {
			// No error has any of the input.
			switch err.Error() {
			case "tokens: invalid expoPushToken (required)", "tokens: invalid expoPushToken (too_long)", "tokens: invalid expoPushToken (malformed)":
			default:
				t.Fatalf("got the text %q", err)
			}
			return
		}
		if token.IsZero() || token.Reveal() != text {
			t.Fatal("the spelling was not kept")
		}
		for _, other := range spell(identityOf(text)) {
			if second := tokens.MustParseToken(other); !second.Equal(token) || second.Hash() != token.Hash() {
				t.Fatal("two spellings are two tokens")
			}
		}
		if _, err := tokens.ParseToken(token.String()); err == nil {
			t.Fatal("the redacted form is a token")
		}
	})
}

func TestSpellings(t *testing.T) {
	inner := func(n int) string { return strings.Repeat("x", n) }
	for _, want := range [][]string{
		{"ExponentPushToken[x]", "ExpoPushToken[x]"},
		{"ExpoPushToken[x]", "ExponentPushToken[x]"},
		{bare, "ExponentPushToken[" + bare + "]", "ExpoPushToken[" + bare + "]"},
		{"ExpoPushToken[" + bare + "]", "ExponentPushToken[" + bare + "]", bare},
		{"ExponentPushToken[" + bare + "]", "ExpoPushToken[" + bare + "]", bare},
		{"ExpoPushToken[ExpoPushToken]", "ExponentPushToken[ExpoPushToken]"},
		{"ExpoPushToken[" + inner(236) + "]", "ExponentPushToken[" + inner(236) + "]"}, // the longer one has the maximum length
		{"ExpoPushToken[" + inner(237) + "]"},
	} {
		first := tokens.MustParseToken(want[0])
		if diff := cmp.Diff(want, first.Spellings()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, text := range want {
			if other := tokens.MustParseToken(text); other.Reveal() != text || !other.Equal(first) || other.String() != first.String() {
				t.Errorf("%s and %s are two tokens", first, other)
			}
		}
	}
	token := tokens.MustParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")
	if n := testing.AllocsPerRun(100, func() { token.Spellings() }); n > 3 {
		t.Errorf("%v allocations at each refresh, want the slice and two texts", n)
	}
}
