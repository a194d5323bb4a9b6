package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/devicetokens/devicetokens/examples/lambda/internal/function"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// The faults of startFaulty. Each shows on Deactivate alone, so that the
// invocations around it can be looked at.
const (
	faultStorePanics = "store panics"
	faultCrash       = "crash"
	faultHang        = "hang"
)

// startFaulty is main with a fault in it. It does not return.
func startFaulty(fault string) {
	cfg, err := function.ConfigFromEnv(os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	var out io.Writer = os.Stdout
	if fault == faultCrash {
		out = brokenPipe{}
	}
	f, err := function.New(cfg, faulty{memstore.MustNew(store.Policy{}), fault}, out)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(f)
}

type faulty struct {
	store.Store
	fault string
}

func (f faulty) Deactivate(ctx context.Context, key tokens.Key) error {
	switch f.fault {
	case faultStorePanics:
		panic("with a secret in it")
	case faultHang:
		select {} // and ignore the context
	}
	return f.Store.Deactivate(ctx, key)
}

// brokenPipe panics where package httpapi contains nothing: in its log.
type brokenPipe struct{}

func (brokenPipe) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(`"operation":"deactivate","outcome":"ok"`)) {
		panic("no log")
	}
	return os.Stdout.Write(p)
}
