package killed

import (
	"sync"

	"github.com/devicetokens/devicetokens/tokens"
)

// The kinds of writes.
const (
	register   = "Register"
	deactivate = "Deactivate"
	invalidate = "Invalidate"
	remove     = "Delete"
	removeUser = "DeleteUser"
)

// A write is one call of a method of a store that writes.
type write struct {
	kind  string
	key   tokens.Key   // of removeUser only the user counts
	token tokens.Token // of register and invalidate
	// start and end are points in one order of all the beginnings and ends of
	// calls. The call had its effect between them, or none.
	start, end int64
	acked      bool // it had its effect for certain
}

// touches reports whether the write is about the registration under the key.
func (w write) touches(key tokens.Key) bool {
	return w.key == key || w.kind == removeUser && w.key.UserID == key.UserID
}

// removes reports whether the write erases what is under the key.
func (w write) removes(key tokens.Key) bool {
	return w.touches(key) && (w.kind == remove || w.kind == removeUser)
}

// takes reports whether the write takes the token from the key.
func (w write) takes(key tokens.Key, token tokens.Token) bool {
	return w.kind == register && w.key != key && w.token.Equal(token)
}

// A history is what was written, by any number of goroutines.
type history struct {
	mu     sync.Mutex
	clock  int64
	writes []write
}

// now is the next point in the order.
func (h *history) now() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	return h.clock
}

// add ends a write that began at w.start.
func (h *history) add(w write) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	w.end = h.clock
	h.writes = append(h.writes, w)
}

// restart begins a history anew with what is stored, while nothing is under way.
func (h *history) restart(rows []tokens.Registration) {
	h.writes = nil
	for _, r := range rows {
		h.add(write{kind: register, key: r.Key, token: r.Token, start: h.now(), acked: true})
		switch r.Status {
		case tokens.LoggedOut:
			h.add(write{kind: deactivate, key: r.Key, start: h.now(), acked: true})
		case tokens.DeviceNotRegistered:
			h.add(write{kind: invalidate, key: r.Key, token: r.Token, start: h.now(), acked: true})
		}
	}
}
