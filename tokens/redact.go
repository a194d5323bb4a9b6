package tokens

import (
	"fmt"
	"io"
	"log/slog"
)

// String returns "Token(1f2e3d4c)", the first digits of the token's hash, to
// correlate log lines by; "Token()" for the zero Token. It does not parse as a
// token.
func (t Token) String() string {
	return "Token(" + t.Hash().String() + ")"
}

// Format writes the text of [Token.String], whatever the verb and its flags.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue returns the text of [Token.String].
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText returns the text of [Token.String], for encoding/json and its
// like. There is no UnmarshalText: a cached [Registration] that is read back
// fails loudly, instead of holding a redacted text as its token.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// GobEncode returns the text of [Token.String]. There is no GobDecode, for the
// reason given at [Token.MarshalText].
func (t Token) GobEncode() ([]byte, error) { return t.MarshalText() }
