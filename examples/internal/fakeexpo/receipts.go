package fakeexpo

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// lifetime is how long Expo keeps receipts.
const lifetime = 24 * time.Hour

func (s *Server) receipts(body []byte) (data any, fault Fault, refused *refusal) {
	var request struct {
		IDs []string `json:"ids"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, fault, invalid(err)
	}
	if len(request.IDs) > 1000 {
		return nil, fault, &refusal{status: http.StatusBadRequest, code: "PUSH_TOO_MANY_RECEIPTS"}
	}
	fault, refused = s.fault(false, len(request.IDs))
	if refused != nil {
		return nil, fault, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipts := map[string]any{}
	for _, id := range request.IDs {
		t, known := s.tickets[id]
		if !known && s.o.StrictIDs {
			return nil, fault, invalid(errors.New("\"ids\" has an invalid id"))
		}
		if r := s.refused[s.projectOf(t.token)]; r.Status != 0 {
			return nil, fault, &refusal{status: r.Status, code: r.Code}
		}
		if p := s.phones[t.token]; p != nil && p.RefusedLookup.Status != 0 {
			return nil, fault, &refusal{status: p.RefusedLookup.Status, code: p.RefusedLookup.Code}
		}
		if age := time.Since(t.at); !known || age < s.o.ReceiptDelay || age > lifetime {
			continue
		}
		if t.answer != (Answer{}) {
			receipts[id] = t.answer.json(t.token)
			continue
		}
		receipts[id] = map[string]string{"status": "ok"}
	}
	return receipts, fault, nil
}

// projectOf returns a phone's project.
func (s *Server) projectOf(token string) string {
	if p := s.phones[token]; p != nil {
		return p.Project
	}
	return ""
}
