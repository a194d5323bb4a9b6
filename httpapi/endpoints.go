package httpapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"net/http"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the description of the API as an OpenAPI 3.1 document in YAML, to
// serve, to generate clients, or to test with. Its paths have no BasePath. Each call
// returns a new slice.
func OpenAPI() []byte { return bytes.Clone(openAPI) }

// register is POST: it registers a device.
func (h *handler) register(c *call) (answer, error) {
	req, err := decodeRequest(c.w, c.r, h.options.MaxBodyBytes)
	if err != nil {
		return answer{}, err
	}
	req.Key.UserID = c.user
	c.event.Operation = store.OpRegister
	began := time.Now()
	result, err := h.store.Register(c.r.Context(), req)
	c.event.StoreDuration = time.Since(began)
	if err != nil {
		return answer{}, err
	}
	c.event.Outcome = result.Outcome
	c.event.Moved = result.Moved()
	c.event.Evicted = len(result.Evicted)
	status := http.StatusOK
	if result.Outcome == store.Created {
		status = http.StatusCreated
	}
	return marshal(status, wireRegistration(result.Registration))
}

// list is GET: it returns the caller's active registrations, ordered by device id.
func (h *handler) list(c *call) (answer, error) {
	c.event.Operation = store.OpList
	began := time.Now()
	regs, err := h.store.List(c.r.Context(), c.user)
	c.event.StoreDuration = time.Since(began)
	if err != nil {
		return answer{}, err
	}
	c.event.Outcome = store.OK
	document := struct {
		DeviceTokens []registration `json:"deviceTokens"`
	}{DeviceTokens: make([]registration, len(regs))} // [], never null
	for i, r := range regs {
		document.DeviceTokens[i] = wireRegistration(r)
	}
	return marshal(http.StatusOK, document)
}

// remove is DELETE: it deactivates a registration, or erases it with
// permanent=true. The response is the same if there is no registration.
func (h *handler) remove(c *call) (answer, error) {
	device, permanent, err := parseRemoval(c.r.URL.RawQuery)
	if err != nil {
		return answer{}, err
	}
	do := h.store.Deactivate
	c.event.Operation = store.OpDeactivate
	if permanent {
		do = h.store.Delete
		c.event.Operation = store.OpDelete
	}
	began := time.Now()
	err = do(c.r.Context(), tokens.Key{UserID: c.user, DeviceID: device})
	c.event.StoreDuration = time.Since(began)
	if err != nil {
		return answer{}, err
	}
	c.event.Outcome = store.OK
	return answer{status: http.StatusNoContent}, nil
}

// A registration is the JSON form of a [tokens.Registration]. It has no token,
// because the app has it already and a response may be logged.
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

// wireTime returns RFC 3339 in UTC with milliseconds, as JavaScript's toISOString
// does, and "" for a time that a row of an older service does not have.
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
