// Package leak finds tokens and user ids in the output of a program: log lines,
// problems, metrics, panics and errors.
//
// A [Trace] searches a text for secrets in any encoding. [Store] wraps a store and
// checks its errors, so that the whole suite of stores has this check. TestPrinted
// searches the output of the tests.
package leak

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// MinLen is the minimum length of a secret. Shorter texts occur in others by chance.
const MinLen = 5

// A Trace searches texts for secrets. The zero value has none. It is safe for concurrent
// use.
type Trace struct {
	mu      sync.Mutex
	forms   map[string]string    // lower case; which secret, and its encoding
	byStart map[[2]byte][]string // the forms by their first bytes, because there may be many
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

// Identity returns the part of a token that all its spellings share: the text in
// the brackets, or the whole of a bare one.
func Identity(t tokens.Token) string {
	before, inner, ok := strings.Cut(t.Reveal(), "[")
	if !ok {
		return before
	}
	return strings.TrimSuffix(inner, "]")
}

type form struct{ name, text string }

// forms returns the encodings of a string that programs write. Base64 depends on the
// position of the string in the input, so forms omits the letters at both ends that
// depend on neighbouring bytes.
func forms(s string) []form {
	list := strings.Trim(fmt.Sprint([]byte(s)), "[]")
	all := []form{
		{"as it is", s},
		{"quoted", strings.Trim(fmt.Sprintf("%q", s), `"`)},
		{"quoted in ASCII", strings.Trim(fmt.Sprintf("%+q", s), `"`)},
		{"in JSON", inJSON(s)},
		{"in a query", url.QueryEscape(s)},
		{"in a path", url.PathEscape(s)},
		{"in hexadecimal", hex.EncodeToString([]byte(s))},
		{"in spaced hexadecimal", fmt.Sprintf("% x", s)},
		{"in spaced hexadecimal with prefixes", fmt.Sprintf("%# x", s)},
		{"as bytes", list},
		{"as bytes in JSON", strings.ReplaceAll(list, " ", ",")},
		{"as bytes in Go", strings.Trim(fmt.Sprintf("%#v", []byte(s)), "[]byte{}")},
		{"as bytes in octal", strings.TrimSpace(each(s, "%o "))},
		{"as bytes in binary", strings.TrimSpace(each(s, "%b "))},
		{"as spaced characters", strings.TrimSpace(each(s, "%c "))},
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

// Store returns a store that fails the test if an error of s contains a user id or a
// token of this call or an earlier one.
func Store(tb testing.TB, s store.Store, trace *Trace) store.Store {
	return traced{tb, s, trace}
}

type traced struct {
	testing.TB
	store store.Store
	trace *Trace
}

// Unwrap returns s, so that package store finds its optional interfaces.
func (s traced) Unwrap() store.Store { return s.store }

func (s traced) user(user tokens.UserID) { s.trace.Add(string(user)) }

func (s traced) token(t tokens.Token) {
	if !t.IsZero() {
		s.trace.Add(Identity(t))
	}
}

// check searches an error in every form in which a program may print it.
func (s traced) check(err error) {
	s.Helper()
	if err == nil {
		return
	}
	if what := s.trace.Find(Printed(err)); what != "" {
		s.Errorf("an error shows %s", what)
	}
}

// Printed returns the texts of an error: with the verbs of fmt, and in a line of slog.
// It omits the verb %#v, which prints the exported key of a [store.CorruptError].
func Printed(err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v\n%+v\n%q\n", err, err, err)
	slog.New(slog.NewJSONHandler(&b, nil)).Error("failed", "error", err)
	slog.New(slog.NewTextHandler(&b, nil)).Error("failed", "error", err)
	return b.String()
}

func (s traced) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	s.Helper()
	s.user(req.Key.UserID)
	s.token(req.Token)
	result, err := s.store.Register(ctx, req)
	s.check(err)
	return result, err
}

func (s traced) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	s.Helper()
	s.user(key.UserID)
	reg, err := s.store.Get(ctx, key)
	s.check(err)
	return reg, err
}

func (s traced) List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	s.Helper()
	s.user(user)
	regs, err := s.store.List(ctx, user)
	s.check(err)
	return regs, err
}

func (s traced) Holder(ctx context.Context, h tokens.Hash) (tokens.Registration, error) {
	s.Helper()
	reg, err := s.store.Holder(ctx, h)
	s.check(err)
	return reg, err
}

func (s traced) Deactivate(ctx context.Context, key tokens.Key) error {
	s.Helper()
	return s.removal(key.UserID, s.store.Deactivate(ctx, key))
}

func (s traced) Invalidate(ctx context.Context, key tokens.Key, h tokens.Hash, sentAt time.Time) error {
	s.Helper()
	return s.removal(key.UserID, s.store.Invalidate(ctx, key, h, sentAt))
}

func (s traced) Delete(ctx context.Context, key tokens.Key) error {
	s.Helper()
	return s.removal(key.UserID, s.store.Delete(ctx, key))
}

func (s traced) DeleteUser(ctx context.Context, user tokens.UserID) error {
	s.Helper()
	return s.removal(user, s.store.DeleteUser(ctx, user))
}

func (s traced) removal(user tokens.UserID, err error) error {
	s.Helper()
	s.user(user)
	s.check(err)
	return err
}
