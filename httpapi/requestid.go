package httpapi

import (
	"crypto/rand"
	"net/http"
)

const maxRequestIDLen = 64

// requestID returns the request's id: the X-Request-Id that came with it, if
// there is one and it is sane, else a new random one.
func requestID(header http.Header) string {
	if ids := header["X-Request-Id"]; len(ids) == 1 && saneRequestID(ids[0]) {
		return ids[0]
	}
	return rand.Text()
}

// saneRequestID keeps ids harmless in logs, headers, shells and URLs: 1–64 of
// the ASCII letters, digits and "-._". No token in brackets passes.
func saneRequestID(id string) bool {
	if id == "" || len(id) > maxRequestIDLen {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}
