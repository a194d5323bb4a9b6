package leak_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
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

// TestChannels plants a leak in each channel.
func TestChannels(t *testing.T) {
	for _, secret := range []string{identity, user} {
		token := "ExponentPushToken[" + secret + "]"
		for channel, write := range map[string]func() string{
			"a line of text": func() string {
				var b bytes.Buffer
				slog.New(slog.NewTextHandler(&b, nil)).Info("request", "token", token)
				return b.String()
			},
			"a line of JSON": func() string {
				var b bytes.Buffer
				slog.New(slog.NewJSONHandler(&b, nil)).Info("request", slog.Group("req", "token", []byte(token)))
				return b.String()
			},
			"a problem": func() string {
				w := httptest.NewRecorder()
				if err := json.NewEncoder(w).Encode(map[string]any{"title": "no", "errors": []any{map[string]string{"detail": token}}}); err != nil {
					t.Fatal(err)
				}
				return w.Body.String()
			},
			"a location":     func() string { return "/v1/device-tokens?" + url.Values{"t": {token}}.Encode() },
			"a metric":       func() string { return fmt.Sprintf("requests{token=%q} 1", token) },
			"an error":       func() string { return leak.Printed(fmt.Errorf("no %s", token)) },
			"a wrapped one":  func() string { return leak.Printed(errors.Join(errors.New("x"), fmt.Errorf("no %x", token))) },
			"a panic":        func() string { return recovered(func() { panic(token) }) },
			"a stringless":   func() string { return fmt.Sprint([]byte(token)) },
			"a cursor":       func() string { return base64.RawURLEncoding.EncodeToString([]byte(`["x","` + token + `"]`)) },
			"a longer one":   func() string { return base64.StdEncoding.EncodeToString([]byte(`["xy","` + token + `"]`)) },
			"the longest":    func() string { return base64.URLEncoding.EncodeToString([]byte(`["xyz","` + token + `"]`)) },
			"code points":    func() string { return fmt.Sprintf("%U", []byte(token)) },
			"spaced":         func() string { return fmt.Sprintf("% X", token) },
			"Go's own bytes": func() string { return fmt.Sprintf("%#v", []byte(token)) },
		} {
			t.Run(channel, func(t *testing.T) {
				text := write()
				if newTrace().Find(text) == "" {
					t.Errorf("%s goes unnoticed", text)
				}
			})
		}
	}
}

func recovered(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
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

// TestStore has a store whose errors tell what they should not, and one whose do
// not.
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
