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
	// The three times are parts of one string, for one allocation. AppendFormat
	// writes nanoseconds first, and then cuts them.
	text := appendTime(make([]byte, 0, 3*len(timeFormat)+len("000000")), r.RegisteredAt)
	registered := len(text)
	text = appendTime(text, r.UpdatedAt)
	updated := len(text)
	times := string(appendTime(text, r.ExpiresAt))
	return registration{
		DeviceID:     string(r.Key.DeviceID),
		Platform:     string(r.Platform),
		ProjectID:    string(r.ProjectID),
		RegisteredAt: times[:registered],
		UpdatedAt:    times[registered:updated],
		ExpiresAt:    times[updated:],
	}
}

// RFC 3339 in UTC, always with milliseconds, as JavaScript's toISOString writes
// it.
const timeFormat = "2006-01-02T15:04:05.000Z"

// appendTime appends nothing for a time that a row of an older service lacks.
func appendTime(text []byte, t time.Time) []byte {
	if t.IsZero() {
		return text
	}
	return t.UTC().AppendFormat(text, timeFormat)
}

func marshal(status int, document any) (answer, error) {
	body, err := json.Marshal(document)
	return answer{status: status, body: body}, err
}
