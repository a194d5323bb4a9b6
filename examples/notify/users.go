package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/notify/internal/sender"
	"github.com/devicetokens/devicetokens/tokens"
)

var errNoFile = errors.New("-users must be a regular file, not a pipe or a folder, because the next run reads it again")

// recipients is the list of users.
type recipients struct {
	io.ReaderAt
	io.Closer
	size int64
	hash []byte
	list sender.List
}

// openUsers opens the list and checks all of it before anything is sent.
func (c *settings) openUsers() (*recipients, error) {
	if c.user != "" {
		hash := sha256.Sum256([]byte(c.user))
		list := sender.List{Users: 1, Longest: tokens.UserID(c.user)}
		return &recipients{strings.NewReader(c.user), io.NopCloser(nil), int64(len(c.user)), hash[:], list}, nil
	}
	file, err := os.Open(c.users)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNoFile
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	var list sender.List
	if err == nil {
		list, err = sender.CheckUsers(file)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &recipients{file, file, size, hash.Sum(nil), list}, nil
}

// jobID identifies the job: it is a hash of everything that decides who gets what.
func (c *settings) jobID(users *recipients) []byte {
	text, _ := json.Marshal([]any{c.db, c.content, c.data, users.hash}) // strings and parsed JSON
	id := sha256.Sum256(text)
	return id[:]
}

// openRegistry opens the store and returns a function that closes it.
func (c *settings) openRegistry(ctx context.Context) (sender.Registry, func() error, error) {
	if c.registry != nil {
		return c.registry, func() error { return nil }, nil
	}
	db, err := database.Open(ctx, c.db, database.Options{})
	if err != nil {
		return nil, nil, fmt.Errorf("-db: %w", err)
	}
	c.db = db.Name // without a password, which may change while the job is under way
	return db.Store, db.Close, nil
}
