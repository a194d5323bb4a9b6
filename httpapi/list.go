package httpapi

import (
	"net/http"
	"time"
)

// list is GET: the caller's active registrations, by device id.
func (h *handler) list(c *call) (answer, error) {
	began := time.Now()
	regs, err := h.store.List(c.r.Context(), c.user)
	c.event.StoreDuration = time.Since(began)
	if err != nil {
		return answer{}, err
	}
	c.event.Outcome = Listed
	document := struct {
		DeviceTokens []registration `json:"deviceTokens"`
	}{DeviceTokens: make([]registration, len(regs))} // [], never null
	for i, r := range regs {
		document.DeviceTokens[i] = wireRegistration(r)
	}
	return marshal(http.StatusOK, document)
}
