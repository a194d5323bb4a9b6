package fakeexpo

import (
	"encoding/json"
	"net/http"
	"time"
)

// lifetime is how long Expo keeps receipts.
const lifetime = 24 * time.Hour

func (s *Server) receipts(body []byte) (data any, lose bool, refused *refusal) {
	var request struct {
		IDs []string `json:"ids"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, false, invalid(err)
	}
	if len(request.IDs) > 1000 {
		return nil, false, &refusal{status: http.StatusBadRequest, code: "PUSH_TOO_MANY_RECEIPTS"}
	}
	fault, refused := s.fault(false)
	if refused != nil {
		return nil, false, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipts := map[string]any{}
	for _, id := range request.IDs {
		t, known := s.tickets[id]
		if age := time.Since(t.at); !known || age < s.o.ReceiptDelay || age > lifetime {
			continue
		}
		if t.outcome == "" {
			receipts[id] = map[string]string{"status": "ok"}
			continue
		}
		receipts[id] = map[string]any{"status": "error", "message": t.outcome, "details": map[string]string{"error": t.outcome}}
	}
	return receipts, fault.Lose, nil
}
