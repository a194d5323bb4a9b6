package leak_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	identity = "qZ7xW2vK9tRjYp<&>é"
	user     = "u-7f3a-alice"
)

func newTrace() *leak.Trace {
	var t leak.Trace
	t.Add(identity, user)
	return &t
}

// TestForms has the secret in each form in which a program may write it.
func TestForms(t *testing.T) {
	for _, secret := range []string{identity, user} {
		token := "ExponentPushToken[" + secret + "]"
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("request", "token", token)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("request", slog.Group("req", "token", []byte(token)))
		lines := strings.Split(log.String(), "\n")
		problem, err := json.Marshal(map[string]any{"title": "no", "errors": []any{map[string]string{"detail": token}}})
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{
			lines[0], lines[1], string(problem),
			"/v1/device-tokens?" + url.Values{"t": {token}}.Encode(), "/" + url.PathEscape(token),
			leak.Printed(errors.Join(errors.New("x"), fmt.Errorf("no %x", token))),
			base64.RawURLEncoding.EncodeToString([]byte(`["x","` + token + `"]`)),
			base64.StdEncoding.EncodeToString([]byte(`["xy","` + token + `"]`)),
			base64.URLEncoding.EncodeToString([]byte(`["xyz","` + token + `"]`)),
		}
		for _, format := range []string{"%v", "%q", "%+q", "%x", "%X", "% x", "%#x", "%# x"} {
			texts = append(texts, fmt.Sprintf(format, token))
		}
		for _, format := range []string{"%v", "%#v", "%o", "%b", "%c", "%U"} {
			texts = append(texts, fmt.Sprintf(format, []byte(token)))
		}
		for _, text := range texts {
			if newTrace().Find(text) == "" {
				t.Errorf("%s is not noticed", text)
			}
		}
	}
}

func TestNothingIsFound(t *testing.T) {
	for _, text := range []string{
		"", user[:len(user)-1], "ExponentPushToken[]", tokens.MustParseToken("ExponentPushToken[qZ7xW2vK9tRjYp]").String(),
		fmt.Sprintf("%x", identity[1:]), strings.ReplaceAll(user, "-", "_"),
	} {
		if what := newTrace().Find(text); what != "" {
			t.Errorf("found %s in %q", what, text)
		}
	}
}

// TestStore has stores whose errors contain a secret, and stores whose errors do not.
func TestStore(t *testing.T) {
	token := tokens.MustParseToken("ExpoPushToken[qZ7xW2vK9tRjYp]")
	key := tokens.Key{UserID: user, DeviceID: "phone"}
	for name, tt := range map[string]struct {
		err   error
		leaks bool
	}{
		"the token":              {fmt.Errorf("%w: no %s", store.ErrTryAgain, token.Reveal()), true},
		"another spelling of it": {errors.New("ExponentPushToken%5BqZ7xW2vK9tRjYp%5D"), true},
		"the user":               {errors.Join(store.ErrNotFound, fmt.Errorf("%+v", key)), true},
		"its hash":               {fmt.Errorf("%w: %v", store.ErrTryAgain, token), false},
		"a sentinel":             {store.ErrNotFound, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			s := leak.Store(r, failing{memstore.MustNew(store.Policy{}), tt.err}, &leak.Trace{})
			if _, err := s.Register(t.Context(), tokens.Request{Key: key, Token: token, Platform: tokens.IOS}); err != nil {
				t.Fatal(err)
			}
			if err := s.Delete(t.Context(), tokens.Key{UserID: "bobby", DeviceID: "phone"}); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
			if r.failed != tt.leaks {
				t.Errorf("failed: %t, want %t", r.failed, tt.leaks)
			}
		})
	}
}

type failing struct {
	store.Store
	err error
}

func (f failing) Delete(context.Context, tokens.Key) error { return f.err }

type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }
