package tokens

import (
	"fmt"
	"io"
	"log/slog"
)

// String returns the first digits of the token's hash, such as "Token(1f2e3d4c)",
// to correlate log lines, and "Token()" for the zero Token. [ParseToken] rejects
// the text.
func (t Token) String() string {
	return "Token(" + t.Hash().String() + ")"
}

// Format writes the text of [Token.String] for every verb and flag.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue returns the text of [Token.String].
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText returns the text of [Token.String], for encoding/json and other
// encoders. There is no UnmarshalText: decoding a [Registration] from JSON fails,
// because its token was not written.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// GobEncode returns the text of [Token.String]. There is no GobDecode, as with
// [Token.MarshalText].
func (t Token) GobEncode() ([]byte, error) { return t.MarshalText() }
