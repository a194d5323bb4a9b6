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

// parsed has texts by the code of their error.
var parsed = map[tokens.Code][]string{
	"": {
		"ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]", "ExpoPushToken[xxxxxxxxxxxxxxxxxxxxxx]", bare, "ExponentPushToken[" + bare + "]",
		"ExponentPushToken[" + inner(236) + "]", "ExpoPushToken[" + inner(240) + "]", // 255 bytes
	},
	tokens.CodeRequired: {""},
	tokens.CodeTooLong:  {"ExponentPushToken[" + inner(237) + "]", "ExpoPushToken[" + inner(241) + "]", inner(256)},
	tokens.CodeMalformed: {
		inner(255), " ExpoPushToken[x]", "ExpoPushToken[x]\n", "ExponentPushToken[]", "ExponentPushToken[x", "ExponentPushToken[", "]",
		"ExpoPushToken[x]]", "ExpoPushToken[[x]]", "ExpoPushToken[x]ExpoPushToken[y]", "exponentpushtoken[x]", "FCMToken[x]", "ExpoPushToken[\u212a]",
		"Token(1f2e3d4c)",        // the redacted form
		strings.Repeat("0f", 32), // of APNs

		// The Kelvin sign, also with the right length in bytes.
		"1a2B3c4\u212a-aaaa-BBBB-0000-0123456789aZ", "1a2B3\u212a-aaaa-BBBB-0000-0123456789aZ",
		bare[1:], bare + "0", strings.Replace(bare, "-", "a", 1), "-" + bare[1:],
	},
}

func inner(n int) string { return strings.Repeat("x", n) }

func TestParseToken(t *testing.T) {
	for want, texts := range parsed {
		for _, text := range texts {
			token, err := tokens.ParseToken(text)
			if got := codeOf(t, err, "expoPushToken"); got != want {
				t.Errorf("%q: got code %q, want %q", text, got, want)
			}
			if token.IsZero() != (err != nil) || (token.Validate() == nil) != (err == nil) || err == nil && token.Reveal() != text {
				t.Errorf("%q: error %v; zero: %t; invalid: %v", text, err, token.IsZero(), token.Validate())
			}
		}
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
	equal(t, "between brackets", inner, string(gotInner))
	equal(t, "bare", alphanumeric, string(gotBare))
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
	for _, texts := range parsed {
		for _, text := range texts {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := tokens.ParseToken(text)
		if want := len(text) <= tokens.MaxTokenBytes && grammar.MatchString(text); want != (err == nil) {
			t.Fatalf("got error %v for a text that the format allows: %t", err, want)
		}
		if err != nil {
			if want := "tokens: invalid expoPushToken (" + string(codeOf(t, err, "expoPushToken")) + ")"; err.Error() != want {
				t.Fatalf("got the text %q, want %q", err, want) // without any of the input
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
		equal(t, "spellings", want, first.Spellings())
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
