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
)

// Endpoint returns the base URL of a DynamoDB: what DYNAMODB_ENDPOINT says, or else a DynamoDB Local on this machine.
// Any region and credentials do for the latter, but each pair of region and access key sees tables of its own.
//
// Where there is none, Endpoint skips the test and says what to do; if CI is set it fails it, so that a gate cannot
// pass by skipping. It may be called by tests that run in parallel.
func Endpoint(tb testing.TB) string {
	tb.Helper()
	return endpoint(tb, os.Getenv, engine)
}

var engine = sync.OnceValues(func() (string, error) {
	lib, err := locateHere()
	if err != nil {
		return "", err
	}
	return start(lib)
})

// locateHere looks from the working directory, which is that of the test.
func locateHere() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return locate(dir, exec.LookPath)
}

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
