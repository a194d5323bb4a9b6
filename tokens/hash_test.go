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

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

var hashed = tokens.MustParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")

// TestHash: the SHA-256 of the identity, the same for every spelling, and zero
// for the zero Token only.
func TestHash(t *testing.T) {
	want := tokens.Hash(sha256.Sum256([]byte("xxxxxxxxxxxxxxxxxxxxxx")))
	for _, spelling := range []string{"ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]", "ExpoPushToken[xxxxxxxxxxxxxxxxxxxxxx]"} {
		if got := tokens.MustParseToken(spelling).Hash(); got != want {
			t.Errorf("got %x, want %x", got[:], want[:])
		}
	}
	if got := (tokens.Token{}).Hash(); !got.IsZero() || got.Validate() == nil {
		t.Errorf("the zero Token has the hash %x, which is valid: %v", got[:], got.Validate())
	}
	if err := want.Validate(); err != nil {
		t.Error(err)
	}
	if got := hashed.String(); got != "Token("+want.String()+")" {
		t.Errorf("the token shows %s, its hash %s", got, want)
	}
}

// TestHashFormatting: eight digits for every verb and in a log; all 64 only
// where they are asked for.
func TestHashFormatting(t *testing.T) {
	h := hashed.Hash()
	want := hex.EncodeToString(h[:4])
	for verb := 'A'; verb <= 'z'; verb++ {
		if 'Z' < verb && verb < 'a' {
			continue
		}
		for _, flags := range []string{"", "#", "+", " ", "040.30"} {
			format := "%" + flags + string(verb)
			if strings.ContainsRune("Tpw", verb) { // fmt handles these before any method
				continue
			}
			if got := fmt.Sprintf(format, h); got != want {
				t.Errorf("%s: got %q, want %q", format, got, want)
			}
		}
	}
	if got := fmt.Sprint(tokens.Hash{}); got != "" {
		t.Errorf("the zero Hash prints as %q", got)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("gone", "hash", h)
	if got := log.String(); !strings.Contains(got, `"hash":"`+want+`"`) {
		t.Errorf("logged as %s, want the digits %s", got, want)
	}
}

// TestHashEncodings: what one form writes, it reads back, as a value and as a key.
func TestHashEncodings(t *testing.T) {
	type record struct {
		Hash   tokens.Hash
		Counts map[tokens.Hash]int
	}
	want := record{Hash: hashed.Hash(), Counts: map[tokens.Hash]int{hashed.Hash(): 1}}

	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if digits := hex.EncodeToString(want.Hash[:]); strings.Count(string(text), `"`+digits+`"`) != 2 {
		t.Errorf("JSON is %s, want the digits %s twice", text, digits)
	}
	var fromJSON record
	if err := json.Unmarshal(text, &fromJSON); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, fromJSON); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}

	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(want); err != nil {
		t.Fatal(err)
	}
	var fromGob record
	if err := gob.NewDecoder(&buf).Decode(&fromGob); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, fromGob); diff != "" {
		t.Errorf("gob (-want +got):\n%s", diff)
	}
	if binary, err := want.Hash.MarshalBinary(); err != nil || !bytes.Equal(binary, want.Hash[:]) {
		t.Errorf("the binary form is %x, %v", binary, err)
	}
}

func TestParseHash(t *testing.T) {
	h := hashed.Hash()
	digits := hex.EncodeToString(h[:])
	for _, tc := range []struct {
		name, text string
		code       tokens.Code
	}{
		{"empty", "", tokens.CodeRequired},
		{"short form", digits[:8], tokens.CodeMalformed},
		{"a digit short", digits[1:], tokens.CodeMalformed},
		{"a digit long", digits + "0", tokens.CodeMalformed},
		{"capitals", strings.ToUpper(digits), tokens.CodeMalformed},
		{"not a digit", "g" + digits[1:], tokens.CodeMalformed},
		{"with a prefix", "0x" + digits[2:], tokens.CodeMalformed},
		{"with a space", " " + digits[1:], tokens.CodeMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := &tokens.InvalidError{Fields: []tokens.FieldError{{Field: "tokenHash", Code: tc.code}}}
			got := h
			if diff := cmp.Diff(error(want), got.UnmarshalText([]byte(tc.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got != h {
				t.Error("a refused text changed the hash")
			}
		})
	}
	for _, size := range []int{0, 31, 33} {
		got := h
		if err := got.UnmarshalBinary(make([]byte, size)); err == nil || got != h {
			t.Errorf("%d bytes: %v, changed: %t", size, err, got != h)
		}
	}
}

// FuzzParseHash: a text is either refused or what MarshalText writes.
func FuzzParseHash(f *testing.F) {
	h := hashed.Hash()
	f.Add(hex.EncodeToString(h[:]))
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
