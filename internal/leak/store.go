package leak

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

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

// Identity returns the part of a token that all its spellings share: the text in
// the brackets, or the whole of a bare one.
func Identity(t tokens.Token) string {
	before, inner, ok := strings.Cut(t.Reveal(), "[")
	if !ok {
		return before
	}
	return strings.TrimSuffix(inner, "]")
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
