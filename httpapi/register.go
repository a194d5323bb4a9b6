package httpapi

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// register is POST: an app says at launch by which token it can be reached.
func (h *handler) register(c *call) (answer, error) {
	req, err := decodeRequest(c.w, c.r, h.options.MaxBodyBytes, c.user)
	if err != nil {
		return answer{}, err
	}
	began := time.Now()
	result, err := h.store.Register(c.r.Context(), req)
	c.event.StoreDuration = time.Since(began)
	if err != nil {
		return answer{}, err
	}
	c.event.Outcome = Outcome(result.Outcome)
	c.event.Moved = result.Moved()
	c.event.Evicted = len(result.Evicted)
	status := http.StatusOK
	if result.Outcome == store.Created {
		status = http.StatusCreated
	}
	return marshal(status, wireRegistration(result.Registration))
}

// A registration as it is answered. The token stays out: whoever registered
// knows it, and nobody else is to. So do the keys of whoever lost it.
type registration struct {
	DeviceID     string `json:"deviceId"`
	Platform     string `json:"platform"`
	ProjectID    string `json:"projectId,omitempty"`
	RegisteredAt string `json:"registeredAt,omitempty"`
	UpdatedAt    string `json:"updatedAt,omitempty"`
	ExpiresAt    string `json:"expiresAt,omitempty"`
}

func wireRegistration(r tokens.Registration) registration {
	return registration{
		DeviceID:     string(r.Key.DeviceID),
		Platform:     string(r.Platform),
		ProjectID:    string(r.ProjectID),
		RegisteredAt: wireTime(r.RegisteredAt),
		UpdatedAt:    wireTime(r.UpdatedAt),
		ExpiresAt:    wireTime(r.ExpiresAt),
	}
}

// wireTime is RFC 3339 in UTC, always with milliseconds, as JavaScript's
// toISOString writes it. A row of an older service may lack a time.
func wireTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func marshal(status int, document any) (answer, error) {
	body, err := json.Marshal(document)
	return answer{status: status, body: body}, err
}
