package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/examples/notify/internal/sender"
)

// recipients is the list of users.
type recipients struct {
	io.ReaderAt
	io.Closer
	size int64
	hash []byte
}

func (c *settings) openUsers() (*recipients, error) {
	if c.user != "" {
		hash := sha256.Sum256([]byte(c.user))
		return &recipients{strings.NewReader(c.user), io.NopCloser(nil), int64(len(c.user)), hash[:]}, nil
	}
	file, err := os.Open(c.users)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &recipients{file, file, size, hash.Sum(nil)}, nil
}

// jobID tells this job from others: it is made of all that decides who gets what.
func (c *settings) jobID(users *recipients) []byte {
	text, _ := json.Marshal([]any{c.table, c.content, c.data, users.hash}) // strings and parsed JSON
	id := sha256.Sum256(text)
	return id[:]
}

func (c *settings) openRegistry(ctx context.Context) (sender.Registry, error) {
	if c.registry != nil {
		return c.registry, nil
	}
	// The SDK's own lines would break the bar. What matters comes as an error.
	aws, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, err
	}
	return dynamostore.New(dynamodb.NewFromConfig(aws), c.table, dynamostore.Options{})
}
