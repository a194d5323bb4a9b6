package tokens

import (
	"crypto/sha256"
	"strings"
)

// MaxTokenBytes is the greatest length of a token, as the app spells it.
const MaxTokenBytes = 255

// A Token is an Expo push token that was parsed: ExponentPushToken[x],
// ExpoPushToken[x] or Expo's older bare form, five groups of 8-4-4-4-12 ASCII
// letters and digits. It is a credential, and keeps its text to itself: see
// [Token.Reveal].
//
// The identity of a token is what is inside the brackets, or the whole of the
// bare form. Two spellings of one identity are one token, so a Token cannot be
// compared with == or be a map key; use [Token.Equal], and [Token.Hash] as a
// key. Package go-cmp finds Equal by itself.
//
// The zero Token is not a token: [Token.IsZero] reports it, and every store
// refuses it.
//
// A debugger, and dumpers that read memory past the language's access rules
// (go-spew, and with it the diffs of testify), still see the text.
type Token struct {
	_ [0]func() // not comparable
	// A pointer, since fmt prints the strings, but not what pointers point to,
	// in the unexported fields of other people's structs, where it may call
	// no methods.
	s *string
}

// ParseToken returns the token that s spells. The rule is that of Expo's own
// SDK (isExpoPushToken in expo-server-sdk-node), narrowed: between the brackets
// there is at least one character, all of them printable ASCII but for spaces
// and brackets, and the whole is at most [MaxTokenBytes] long. Nothing is
// trimmed, and the spelling is kept.
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

// MustParseToken is [ParseToken] for tests and constants. It panics where
// ParseToken returns an error; the panic does not contain s.
func MustParseToken(s string) Token {
	t, err := ParseToken(s)
	if err != nil {
		panic(err.Error())
	}
	return t
}

// Reveal returns the token as it was spelled when it was parsed, "" for the
// zero Token. Reveal and [Token.Spellings] are the only ways out: search for their
// callers to see which code handles the secret.
func (t Token) Reveal() string {
	if t.s == nil {
		return ""
	}
	return *t.s
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

// Equal reports whether t and u are one token, however each is spelled. The
// zero Token equals itself only.
func (t Token) Equal(u Token) bool { return t.identity() == u.identity() }

// Hash returns the SHA-256 of the token's identity: equal for two spellings of
// one token. The zero Token has the zero Hash.
func (t Token) Hash() Hash {
	if t.IsZero() {
		return Hash{}
	}
	return sha256.Sum256([]byte(t.identity()))
}

// identity is empty for the zero Token only.
func (t Token) identity() string { return identityOf(t.Reveal()) }
