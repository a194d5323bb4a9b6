package tokens

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// MaxTokenBytes is the maximum length of a token's text.
const MaxTokenBytes = 255

// A Token is a parsed Expo push token: ExponentPushToken[x], ExpoPushToken[x] or
// Expo's older bare form, 8-4-4-4-12 ASCII letters and digits. It is a credential.
// Printing, logging and encoding show only the first digits of its hash;
// [Token.Reveal] returns the text.
//
// The identity of a token is the text inside the brackets, or the whole bare form.
// Spellings with the same identity are the same token. A Token therefore cannot be
// compared with == or be a map key: use [Token.Equal], and [Token.Hash] as a key.
// Package go-cmp uses Equal.
//
// The zero Token is invalid: [Token.IsZero] reports it, and every store rejects it.
//
// Debuggers, and packages that read unexported fields with unsafe (go-spew, and
// with it the diffs of testify), still show the text.
type Token struct {
	_ [0]func() // not comparable
	// In an unexported field of another struct, fmt cannot call methods. It prints
	// a string there, and only the address of a pointer.
	s *string
}

// ParseToken parses a token. It accepts what Expo's own SDK accepts
// (isExpoPushToken in expo-server-sdk-node), with two limits: the text between the
// brackets is at least one character of printable ASCII other than spaces and
// brackets, and the whole text is at most [MaxTokenBytes] long. ParseToken trims
// nothing and keeps the spelling.
//
// The error is an [*InvalidError] with the field expoPushToken and the code
// [CodeRequired], [CodeTooLong] or [CodeMalformed]. It does not contain s.
func ParseToken(s string) (Token, error) {
	var code Code
	switch {
	case s == "":
		code = CodeRequired
	case len(s) > MaxTokenBytes:
		code = CodeTooLong
	case !isSpelling(s):
		code = CodeMalformed
	default:
		s = strings.Clone(s) // s may be part of a whole request body
		return Token{s: &s}, nil
	}
	return Token{}, invalid(FieldToken, code)
}

// MustParseToken is [ParseToken] for tests and constants. It panics if ParseToken
// returns an error. The panic does not contain s.
func MustParseToken(s string) Token {
	t, err := ParseToken(s)
	if err != nil {
		panic(err.Error())
	}
	return t
}

// Reveal returns the token's text in the spelling that was parsed, and "" for the
// zero Token. Only Reveal and [Token.Spellings] return the secret.
func (t Token) Reveal() string {
	if t.s == nil {
		return ""
	}
	return *t.s
}

// Spellings returns every spelling of the token, the parsed one first: at
// most two with brackets, and the bare form if the identity has its format. It is
// for stores that compare stored texts. Like [Token.Reveal], it returns the
// secret. It is nil for the zero Token.
func (t Token) Spellings() []string {
	if t.IsZero() {
		return nil
	}
	own, identity := t.Reveal(), t.identity()
	all := append(make([]string, 0, len(prefixes)+1), own)
	for _, prefix := range prefixes {
		if text := prefix + identity + "]"; text != own && len(text) <= MaxTokenBytes {
			all = append(all, text)
		}
	}
	if identity != own && isBare(identity) {
		all = append(all, identity)
	}
	return all
}

// IsZero reports whether t is the zero Token, which is never valid.
func (t Token) IsZero() bool { return t.s == nil }

// Validate returns nil, or an [*InvalidError] with the field expoPushToken if t
// is the zero Token. Any other Token went through [ParseToken].
func (t Token) Validate() error {
	if t.IsZero() {
		return invalid(FieldToken, CodeRequired)
	}
	return nil
}

// Equal reports whether t and u are the same token, in any spelling. The zero Token
// equals only itself.
func (t Token) Equal(u Token) bool { return t.identity() == u.identity() }

// Hash returns the SHA-256 of the token's identity. Two spellings of a token have
// the same hash. The zero Token has the zero Hash.
func (t Token) Hash() Hash {
	if t.IsZero() {
		return Hash{}
	}
	return sha256.Sum256([]byte(t.identity()))
}

// identity is empty for the zero Token only.
func (t Token) identity() string { return identityOf(t.Reveal()) }

// String returns the first digits of the token's hash, such as "Token(1f2e3d4c)",
// to correlate log lines, and "Token()" for the zero Token. [ParseToken] rejects
// both.
func (t Token) String() string {
	return "Token(" + t.Hash().String() + ")"
}

// Format writes the text of [Token.String] for every verb and flag.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue returns the text of [Token.String].
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText returns the text of [Token.String]. There is no UnmarshalText:
// decoding a [Registration] from JSON fails, because its token was not written.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// GobEncode returns the text of [Token.String]. There is no GobDecode, as with
// [Token.MarshalText].
func (t Token) GobEncode() ([]byte, error) { return t.MarshalText() }

// A spelling is a prefix, the identity and a closing bracket, or the bare identity.
var prefixes = [...]string{"ExponentPushToken[", "ExpoPushToken["}

// isSpelling does not check the length.
func isSpelling(s string) bool {
	inner, ok := unwrap(s)
	return isBare(s) || ok && isInner(inner)
}

func identityOf(s string) string {
	if inner, ok := unwrap(s); ok {
		return inner
	}
	return s
}

func unwrap(s string) (inner string, ok bool) {
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			return strings.CutSuffix(rest, "]")
		}
	}
	return "", false
}

// isInner reports whether s is printable ASCII without spaces or brackets.
func isInner(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '[' || c == ']' {
			return false
		}
	}
	return s != ""
}

// isBare reports whether s is 8-4-4-4-12 ASCII letters and digits. It is no regular
// expression, because (?i)[a-z] in Go also matches the Kelvin sign.
func isBare(s string) bool {
	const shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		if shape[i] == '-' && s[i] != '-' || shape[i] == 'x' && !isAlphanumeric(s[i]) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
