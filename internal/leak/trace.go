// Package leak finds tokens and user ids in the output of a program: log lines,
// problems, metrics, panics and errors.
//
// A [Trace] searches a text for secrets in any encoding. [Store] wraps a store and
// checks its errors, and so adds this check to the whole suite of stores. The command
// scan searches the output of the tests.
package leak

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
)

// MinLen is the minimum length of a secret. Shorter texts occur in others by chance.
const MinLen = 5

// A Trace searches texts for secrets. The zero value has none. It is safe for concurrent
// use.
type Trace struct {
	mu      sync.Mutex
	forms   map[string]string    // lower case; which secret, and how it is written
	byStart map[[2]byte][]string // the forms by their first bytes, since much is searched for many
}

// Add adds secrets: the text inside the brackets of a token, or a user id. It ignores
// texts shorter than MinLen.
func (t *Trace) Add(secrets ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.forms == nil {
		t.forms, t.byStart = map[string]string{}, map[[2]byte][]string{}
	}
	for _, s := range secrets {
		if _, known := t.forms[strings.ToLower(s)]; known || len(s) < MinLen {
			continue
		}
		for _, f := range forms(s) {
			if text := strings.ToLower(f.text); t.forms[text] == "" {
				t.forms[text] = fmt.Sprintf("%q %s", s, f.name)
				start := [2]byte{text[0], text[1]}
				t.byStart[start] = append(t.byStart[start], text)
			}
		}
	}
}

// Find returns the first secret in the text with its encoding, or "". It ignores case.
func (t *Trace) Find(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text = strings.ToLower(text)
	for i := range len(text) - 1 {
		for _, form := range t.byStart[[2]byte{text[i], text[i+1]}] {
			if strings.HasPrefix(text[i:], form) {
				return t.forms[form]
			}
		}
	}
	return ""
}

type form struct{ name, text string }

// forms returns the encodings of a string that programs write. Base64 depends on the
// position of the string in the input, so forms omits the letters at both ends that
// depend on neighbouring bytes.
func forms(s string) []form {
	all := []form{
		{"as it is", s},
		{"quoted", strings.Trim(fmt.Sprintf("%q", s), `"`)},
		{"quoted in ASCII", strings.Trim(fmt.Sprintf("%+q", s), `"`)},
		{"in JSON", inJSON(s)},
		{"in a query", url.QueryEscape(s)},
		{"in a path", url.PathEscape(s)},
		{"in hexadecimal", hex.EncodeToString([]byte(s))},
		{"in spaced hexadecimal", fmt.Sprintf("% x", s)},
		{"as bytes", strings.Trim(fmt.Sprint([]byte(s)), "[]")},
		{"as bytes in JSON", strings.ReplaceAll(strings.Trim(fmt.Sprint([]byte(s)), "[]"), " ", ",")},
		{"as bytes in Go", strings.Trim(fmt.Sprintf("%#v", []byte(s)), "[]byte{}")},
		{"escaped, each byte", each(s, `\x%02x`)},
		{"in percents", each(s, "%%%02x")},
		{"as code points", strings.TrimSpace(each(s, "U+%04X "))},
		{"escaped as in JSON", each(s, `\u%04x`)},
	}
	for before := range 3 {
		for name, encoding := range map[string]*base64.Encoding{"": base64.RawStdEncoding, " for URLs": base64.RawURLEncoding} {
			text := encoding.EncodeToString([]byte(strings.Repeat("x", before) + s))
			first := (before*8 + 5) / 6
			last := (before + len(s)) * 8 / 6
			all = append(all, form{fmt.Sprintf("in base64%s after %d", name, before), text[first:last]})
		}
	}
	return all
}

// inJSON returns s as encoding/json writes it, with more escapes than JSON needs.
func inJSON(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return strings.Trim(string(text), `"`)
}

func each(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}
