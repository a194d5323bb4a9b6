package dynamotest

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Endpoint returns the base URL of a DynamoDB: the value of DYNAMODB_ENDPOINT, or else a DynamoDB Local on this machine.
// Any region and credentials do for the latter, but each pair of region and access key sees tables of its own.
//
// The first test that asks starts the engine, which `make dynamodb-local` fetches, with all its data in memory. It serves
// the tests of every package at once, and those of the next run too; it ends after five minutes without a test, or at
// `make dynamodb-local-stop`. So each test makes a table of its own.
//
// Without an engine, Endpoint skips the test and names the command to get one; if CI is set it fails the test, so that a
// gate cannot pass by skipping. Tests that run in parallel may call it.
func Endpoint(tb testing.TB) string {
	tb.Helper()
	return endpoint(tb, os.Getenv, engine)
}

var engine = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd() // of the test: its package
	if err != nil {
		return "", err
	}
	lib, err := locate(dir, exec.LookPath)
	if err != nil {
		return "", err
	}
	url, err := share(lib, lib)
	if err != nil {
		return "", err
	}
	go func() {
		for range time.Tick(time.Minute) {
			_ = touch(filepath.Join(lib, usedFile)) // a test that finds the engine ended fails, and shows it
		}
	}()
	return url, nil
})

func endpoint(tb testing.TB, getenv func(string) string, engine func() (string, error)) string {
	tb.Helper()
	if url := getenv("DYNAMODB_ENDPOINT"); url != "" {
		return url
	}
	url, err := engine()
	if errors.Is(err, errMissing) && getenv("CI") == "" {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return url
}

// errMissing is wrapped by the errors that a developer mends by installing something.
var errMissing = errors.New("no DynamoDB to test against")

// wanted is what scripts/dynamodb-local.sh leaves a copy of beside the files it fetched for it.
//
//go:embed pom.xml
var wanted string

// locate returns the folder that holds DynamoDB Local, which is in the root of the repository that dir is in.
func locate(dir string, lookPath func(string) (string, error)) (string, error) {
	for _, program := range []string{"java", "sh"} {
		if _, err := lookPath(program); err != nil {
			return "", missing(program + " is not on the PATH: install it (Java 17 or newer) and run `make dynamodb-local`, or set DYNAMODB_ENDPOINT")
		}
	}
	for ; ; dir = filepath.Dir(dir) {
		lib := filepath.Join(dir, ".cache", "dynamodb-local")
		fetched, err := os.ReadFile(filepath.Join(lib, "pom.xml"))
		switch {
		case err == nil && string(fetched) == wanted:
			return lib, nil
		case err == nil:
			return "", missing("the DynamoDB Local that was fetched is not the one wanted: run `make dynamodb-local`")
		case dir == filepath.Dir(dir):
			return "", missing("run `make dynamodb-local` once, or set DYNAMODB_ENDPOINT")
		}
	}
}

func missing(remedy string) error { return fmt.Errorf("%w: %s", errMissing, remedy) }
