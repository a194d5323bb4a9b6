package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// known are the mutants that a run need not try again when it goes on from an
// earlier one (-resume): those that were killed or did not compile, of files that
// have not changed since. What survived is tried again, with the tests of today.
type known struct {
	file  string
	mu    sync.Mutex
	fates map[string]fate
}

// readKnown reads what earlier runs found, or begins anew.
func readKnown(file string, resume bool) (*known, error) {
	k := &known{file: file, fates: map[string]fate{}}
	if !resume {
		return k, nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, err
	}
	return k, json.Unmarshal(text, &k.fates)
}

// id tells a mutant from those of another text of its file.
func (k *known) id(tree string, m mutant) (string, error) {
	source, err := os.ReadFile(filepath.Join(tree, m.File))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %x %d-%d %s", m.File, sha256.Sum256(source), m.start, m.end, m.text), nil
}

func (k *known) fate(id string) (f fate, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, ok = k.fates[id]
	return f, ok
}

// add notes a fate that stays, and keeps it at once: a run may be broken off.
func (k *known) add(id string, f fate) error {
	if f != killed && f != notViable {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fates[id] = f
	text, err := json.MarshalIndent(k.fates, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(k.file, text, 0o644)
}
