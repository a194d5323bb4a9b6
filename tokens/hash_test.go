package tokens_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/tokens"
)

var (
	hashed = tokens.MustParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")
	digits = func(h tokens.Hash) string { return hex.EncodeToString(h[:]) }(hashed.Hash())
)

// TestHash: the SHA-256 of the identity, and zero for the zero Token only.
func TestHash(t *testing.T) {
	if want := tokens.Hash(sha256.Sum256([]byte("xxxxxxxxxxxxxxxxxxxxxx"))); hashed.Hash() != want || want.Validate() != nil {
		t.Errorf("got %v, want %v, which is valid: %v", hashed.Hash(), want, want.Validate())
	}
	if got := (tokens.Token{}).Hash(); !got.IsZero() || codeOf(t, got.Validate(), "tokenHash") != tokens.CodeRequired {
		t.Errorf("the zero Token has the hash %x, which is valid: %v", got[:], got.Validate())
	}
}

// TestHashFormatting: eight digits for every verb and in a log.
func TestHashFormatting(t *testing.T) {
	h := hashed.Hash()
	for verb := 'A'; verb <= 'z'; verb++ {
		if 'Z' < verb && verb < 'a' || strings.ContainsRune("Tpw", verb) { // fmt handles these before any method
			continue
		}
		for _, flags := range []string{"", "#", "+", " ", "040.30"} {
			format := "%" + flags + string(verb)
			if got := fmt.Sprintf(format, h); got != digits[:8] {
				t.Errorf("%s: got %q, want %q", format, got, digits[:8])
			}
		}
	}
	if got := fmt.Sprint(tokens.Hash{}); got != "" {
		t.Errorf("the zero Hash prints as %q", got)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("gone", "hash", h)
	if got := log.String(); !strings.Contains(got, `"hash":"`+digits[:8]+`"`) {
		t.Errorf("logged as %s, want the digits %s", got, digits[:8])
	}
}

// TestHashEncodings: JSON and gob decode what they encoded, as a value and as a key.
func TestHashEncodings(t *testing.T) {
	type record struct {
		Hash   tokens.Hash
		Counts map[tokens.Hash]int
	}
	want := record{Hash: hashed.Hash(), Counts: map[tokens.Hash]int{hashed.Hash(): 1}}

	text, err := json.Marshal(want)
	if err != nil || strings.Count(string(text), `"`+digits+`"`) != 2 {
		t.Errorf("JSON is %s, %v, want the digits %s twice", text, err, digits)
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(want); err != nil || !bytes.Contains(buf.Bytes(), want.Hash[:]) {
		t.Errorf("gob is %x, %v, want it to contain the 32 bytes", buf.Bytes(), err)
	}
	for name, decode := range map[string]func(*record) error{
		"JSON": func(r *record) error { return json.Unmarshal(text, r) },
		"gob":  func(r *record) error { return gob.NewDecoder(&buf).Decode(r) },
	} {
		var got record
		if err := decode(&got); err != nil {
			t.Fatal(err)
		}
		equal(t, name, want, got)
	}
}

func TestParseHash(t *testing.T) {
	for text, code := range map[string]tokens.Code{
		"":                      tokens.CodeRequired,
		digits[:8]:              tokens.CodeMalformed,
		digits[1:]:              tokens.CodeMalformed,
		digits + "0":            tokens.CodeMalformed,
		strings.ToUpper(digits): tokens.CodeMalformed,
		"g" + digits[1:]:        tokens.CodeMalformed,
		"0x" + digits[2:]:       tokens.CodeMalformed,
		" " + digits[1:]:        tokens.CodeMalformed,
	} {
		got := hashed.Hash()
		if err := got.UnmarshalText([]byte(text)); codeOf(t, err, "tokenHash") != code || got != hashed.Hash() {
			t.Errorf("%q: error %v, want the code %s; changed: %t", text, err, code, got != hashed.Hash())
		}
	}
	for _, size := range []int{0, 31, 33} {
		got := hashed.Hash()
		if err := got.UnmarshalBinary(make([]byte, size)); err == nil || got != hashed.Hash() {
			t.Errorf("%d bytes: %v, changed: %t", size, err, got != hashed.Hash())
		}
	}
}

// FuzzParseHash: a text is either refused or equal to what MarshalText returns.
func FuzzParseHash(f *testing.F) {
	f.Add(digits)
	f.Add(strings.Repeat("0", 64))
	f.Add(strings.Repeat("F", 64))
	f.Fuzz(func(t *testing.T, s string) {
		got, err := tokens.ParseHash(s)
		if err != nil {
			if !got.IsZero() {
				t.Errorf("a hash beside the error %v", err)
			}
			return
		}
		if text, err := got.MarshalText(); err != nil || string(text) != s {
			t.Errorf("read back as %q, %v", text, err)
		}
	})
}
