package tokens

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// A Hash identifies a token without revealing it. It is the SHA-256 of the
// token's identity, from [Token.Hash]. A sender keeps the hash of a token instead
// of the token until the receipt arrives. A Hash is comparable and can be a map key.
//
// A token's identity is long and random, so the token cannot be guessed from its
// hash. Equal hashes do show that two messages went to the same token.
//
// The zero Hash belongs to no token. Every store rejects it.
type Hash [sha256.Size]byte

// ParseHash parses the text that [Hash.MarshalText] returns: 64 lower-case
// hexadecimal digits.
//
// The error is an [*InvalidError] with the field tokenHash and the code
// [CodeRequired] or [CodeMalformed]. It does not contain s.
func ParseHash(s string) (Hash, error) {
	if s == "" {
		return Hash{}, invalid(FieldTokenHash, CodeRequired)
	}
	var h Hash
	if len(s) != hex.EncodedLen(len(h)) {
		return Hash{}, invalid(FieldTokenHash, CodeMalformed)
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil || hex.EncodeToString(h[:]) != s {
		return Hash{}, invalid(FieldTokenHash, CodeMalformed)
	}
	return h, nil
}

// IsZero reports whether h is the zero Hash, which is never valid.
func (h Hash) IsZero() bool { return h == Hash{} }

// Validate returns nil, or an [*InvalidError] with the field tokenHash if h is
// the zero Hash.
func (h Hash) Validate() error {
	if h.IsZero() {
		return invalid(FieldTokenHash, CodeRequired)
	}
	return nil
}

// String returns the first eight hexadecimal digits of the hash, the same as
// [Token.String] shows, and "" for the zero Hash. [Hash.MarshalText] returns all
// 64 digits.
func (h Hash) String() string {
	if h.IsZero() {
		return ""
	}
	return hex.EncodeToString(h[:4])
}

// Format writes the text of [Hash.String] for every verb and flag.
func (h Hash) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.String()) }

// LogValue returns the text of [Hash.String].
func (h Hash) LogValue() slog.Value { return slog.StringValue(h.String()) }

// MarshalText returns all 64 hexadecimal digits in lower case.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText is [ParseHash] as an [encoding.TextUnmarshaler]. After an error,
// h is unchanged.
func (h *Hash) UnmarshalText(text []byte) error {
	parsed, err := ParseHash(string(text))
	if err == nil {
		*h = parsed
	}
	return err
}

// MarshalBinary returns the 32 bytes of the hash.
func (h Hash) MarshalBinary() ([]byte, error) { return h[:], nil }

// UnmarshalBinary reads the 32 bytes that [Hash.MarshalBinary] returns. For
// another length it returns an [*InvalidError] with the field tokenHash and
// leaves h unchanged.
func (h *Hash) UnmarshalBinary(data []byte) error {
	if len(data) != len(h) {
		return invalid(FieldTokenHash, CodeMalformed)
	}
	copy(h[:], data)
	return nil
}
