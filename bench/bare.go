package bench

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// authenticate uses the bearer token as the user id.
func authenticate(r *http.Request) (tokens.UserID, error) {
	user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", httpapi.ErrUnauthenticated
	}
	return tokens.UserID(user), nil
}

// bare is the naive implementation. It accepts undeclared members, the last of two
// members with one name, and a body of any size, and it responds 400 to every error.
func bare(s store.Store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+httpapi.Path, func(w http.ResponseWriter, r *http.Request) {
		user, err := authenticate(r)
		if err != nil {
			http.Error(w, "unauthenticated", http.StatusUnauthorized)
			return
		}
		var body struct {
			DeviceID      string `json:"deviceId"`
			ExpoPushToken string `json:"expoPushToken"`
			Platform      string `json:"platform"`
			ProjectID     string `json:"projectId"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, "not JSON", http.StatusBadRequest)
			return
		}
		token, err := tokens.ParseToken(body.ExpoPushToken)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		result, err := s.Register(r.Context(), tokens.Request{
			Key:       tokens.Key{UserID: user, DeviceID: tokens.DeviceID(body.DeviceID)},
			Token:     token,
			Platform:  tokens.Platform(body.Platform),
			ProjectID: tokens.ProjectID(body.ProjectID),
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		status := http.StatusOK
		if result.Outcome == store.Created {
			status = http.StatusCreated
		}
		answer(w, status, shown(result.Registration))
	})
	mux.HandleFunc("GET "+httpapi.Path, func(w http.ResponseWriter, r *http.Request) {
		user, err := authenticate(r)
		if err != nil {
			http.Error(w, "unauthenticated", http.StatusUnauthorized)
			return
		}
		regs, err := s.List(r.Context(), user)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body := struct {
			DeviceTokens []registration `json:"deviceTokens"`
		}{make([]registration, 0, len(regs))}
		for _, reg := range regs {
			body.DeviceTokens = append(body.DeviceTokens, shown(reg))
		}
		answer(w, http.StatusOK, body)
	})
	return mux
}

type registration struct {
	DeviceID     string `json:"deviceId"`
	Platform     string `json:"platform"`
	ProjectID    string `json:"projectId,omitempty"`
	RegisteredAt string `json:"registeredAt"`
	UpdatedAt    string `json:"updatedAt"`
	ExpiresAt    string `json:"expiresAt"`
}

func shown(r tokens.Registration) registration {
	format := func(t time.Time) string { return t.Format(timeFormat) }
	return registration{
		string(r.Key.DeviceID), string(r.Platform), string(r.ProjectID),
		format(r.RegisteredAt), format(r.UpdatedAt), format(r.ExpiresAt),
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails if the client has closed the connection
}
