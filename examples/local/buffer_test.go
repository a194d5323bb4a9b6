package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// A lockedBuffer holds what a process writes while a test reads it.
type lockedBuffer struct {
	mu      sync.Mutex
	written *sync.Cond
	text    bytes.Buffer
}

func newLockedBuffer() *lockedBuffer {
	b := &lockedBuffer{}
	b.written = sync.NewCond(&b.mu)
	return b
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.written.Broadcast()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// waitFor waits until text was written; go test's own timeout bounds it.
func (b *lockedBuffer) waitFor(t *testing.T, text string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for !strings.Contains(b.text.String(), text) {
		b.written.Wait()
	}
}
