package tokens

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// A Hash identifies a token without revealing it: the SHA-256 of the token's
// identity, from [Token.Hash]. A sender keeps the hash of the token that it
// sent to, and not the token. A Hash is comparable, and good as a map key.
//
// A token's identity is long and random, so its hash does not give it away.
// A hash still shows that two tokens are the same one.
//
// The zero Hash belongs to no token, and every store refuses it.
type Hash [sha256.Size]byte

// ParseHash returns the hash whose text form is s: 64 lower-case hexadecimal
// digits, as [Hash.MarshalText] writes it.
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

// String returns the first eight hexadecimal digits of the hash, the ones that
// [Token.String] shows; "" for the zero Hash. [Hash.MarshalText] returns all of
// them.
func (h Hash) String() string {
	if h.IsZero() {
		return ""
	}
	return hex.EncodeToString(h[:4])
}

// Format writes the text of [Hash.String], whatever the verb and its flags.
func (h Hash) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.String()) }

// LogValue returns the text of [Hash.String].
func (h Hash) LogValue() slog.Value { return slog.StringValue(h.String()) }

// MarshalText returns all 64 hexadecimal digits, in lower case.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads what [Hash.MarshalText] wrote, and nothing else; see
// [ParseHash]. After an error, h is unchanged.
func (h *Hash) UnmarshalText(text []byte) error {
	parsed, err := ParseHash(string(text))
	if err == nil {
		*h = parsed
	}
	return err
}

// MarshalBinary returns the 32 bytes of the hash.
func (h Hash) MarshalBinary() ([]byte, error) { return h[:], nil }

// UnmarshalBinary reads the 32 bytes that [Hash.MarshalBinary] wrote. The error
// is an [*InvalidError] with the field tokenHash. After an error, h is unchanged.
func (h *Hash) UnmarshalBinary(data []byte) error {
	if len(data) != len(h) {
		return invalid(FieldTokenHash, CodeMalformed)
	}
	copy(h[:], data)
	return nil
}
