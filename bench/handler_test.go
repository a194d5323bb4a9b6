package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// handlers register devices in a memstore, read the user id from a header and write no log.
var handlers = []struct {
	name string
	open func(store.Store) http.Handler
}{
	{"bare", func(s store.Store) http.Handler { return bare{s} }},
	{"httpapi", func(s store.Store) http.Handler {
		return httpapi.MustNew(s, authenticate, httpapi.Options{Logger: slog.New(slog.DiscardHandler)})
	}},
}

func authenticate(r *http.Request) (tokens.UserID, error) {
	user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", httpapi.ErrUnauthenticated
	}
	return tokens.UserID(user), nil
}

// bare is the naive implementation of POST. It accepts undeclared members, the last of
// two members with one name, and a body of any size, and it responds 400 to every error.
type bare struct{ store store.Store }

func (b bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	result, err := b.register(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if result.Outcome == store.Created {
		w.WriteHeader(http.StatusCreated)
	}
	format := func(t time.Time) string { return t.Format(timeFormat) }
	reg := result.Registration
	_ = json.NewEncoder(w).Encode(struct { // fails if the client has closed the connection
		DeviceID     string `json:"deviceId"`
		Platform     string `json:"platform"`
		ProjectID    string `json:"projectId,omitempty"`
		RegisteredAt string `json:"registeredAt"`
		UpdatedAt    string `json:"updatedAt"`
		ExpiresAt    string `json:"expiresAt"`
	}{
		string(reg.Key.DeviceID), string(reg.Platform), string(reg.ProjectID),
		format(reg.RegisteredAt), format(reg.UpdatedAt), format(reg.ExpiresAt),
	})
}

func (b bare) register(r *http.Request) (store.Result, error) {
	user, err := authenticate(r)
	if err != nil {
		return store.Result{}, err
	}
	var body struct {
		DeviceID      string `json:"deviceId"`
		ExpoPushToken string `json:"expoPushToken"`
		Platform      string `json:"platform"`
		ProjectID     string `json:"projectId"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return store.Result{}, err
	}
	token, err := tokens.ParseToken(body.ExpoPushToken)
	if err != nil {
		return store.Result{}, err
	}
	return b.store.Register(r.Context(), tokens.Request{
		Key:   tokens.Key{UserID: user, DeviceID: tokens.DeviceID(body.DeviceID)},
		Token: token, Platform: tokens.Platform(body.Platform), ProjectID: tokens.ProjectID(body.ProjectID),
	})
}

// refreshes returns a function that registers the same device again and again.
func refreshes(tb testing.TB, open func(store.Store) http.Handler) func() *httptest.ResponseRecorder {
	h := open(memstore.MustNew(store.Policy{Now: clock}))
	body := strings.NewReader(fmt.Sprintf(`{"deviceId":"%s","expoPushToken":"%s","platform":"ios","projectId":"%s"}`,
		deviceID(0), token(0), project))
	r := httptest.NewRequestWithContext(tb.Context(), http.MethodPost, httpapi.Path, body)
	r.Header.Set("Authorization", "Bearer "+string(userID(0)))
	r.Header.Set("Content-Type", "application/json")
	return func() *httptest.ResponseRecorder {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			tb.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
}

func BenchmarkHandler(b *testing.B) {
	for _, impl := range handlers {
		b.Run("refresh/impl="+impl.name, func(b *testing.B) {
			refresh := refreshes(b, impl.open)
			b.ReportAllocs()
			for b.Loop() {
				refresh()
			}
		})
	}
}

// TestHandlerAnswers compares the answers of both handlers to a new device and to its
// refresh.
func TestHandlerAnswers(t *testing.T) {
	var seen [2][]string
	for i, impl := range handlers {
		send := refreshes(t, impl.open)
		for _, want := range []int{http.StatusCreated, http.StatusOK} {
			w := send()
			if w.Code != want {
				t.Errorf("%s: status %d, want %d", impl.name, w.Code, want)
			}
			seen[i] = append(seen[i], w.Header().Get("Content-Type"), strings.TrimSpace(w.Body.String()))
		}
	}
	if diff := cmp.Diff(seen[0], seen[1]); diff != "" {
		t.Errorf("answers (-bare +httpapi):\n%s", diff)
	}
}

// TestHandlerAllocations limits httpapi to 3.5 times the allocations of the bare handler.
// It makes most of them in the tokens of encoding/json, which show duplicate and
// undeclared members.
func TestHandlerAllocations(t *testing.T) {
	var allocations [2]float64
	for i, impl := range handlers {
		send := refreshes(t, impl.open)
		allocations[i] = testing.AllocsPerRun(200, func() { send() })
	}
	t.Logf("allocations of the bare handler and httpapi: %v", allocations)
	if allocations[1] > 3.5*allocations[0] {
		t.Errorf("allocations of the bare handler and httpapi: %v", allocations)
	}
}
