package dynamotest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestURLDecides(t *testing.T) {
	none := func() (string, error) { return "", dynamoDBLocal.missing("run this") }
	broken := func() (string, error) { return "", errors.New("it died") }
	started := func() (string, error) { return "http://started", nil }
	tests := []struct {
		name   string
		env    map[string]string
		engine func() (string, error)
		want   string
	}{
		{"environment first", map[string]string{"DYNAMODB_ENDPOINT": "http://given"}, started, "use http://given"},
		{"environment needs no engine", map[string]string{"DYNAMODB_ENDPOINT": "http://given", "CI": "true"}, none, "use http://given"},
		{"engine", nil, started, "use http://started"},
		{"no engine", nil, none, "skip: DynamoDB: nothing to test against: run this, or set DYNAMODB_ENDPOINT"},
		{"no engine in CI", map[string]string{"CI": "true"}, none, "fail: DynamoDB: nothing to test against: run this, or set DYNAMODB_ENDPOINT"},
		{"CI set to nothing", map[string]string{"CI": ""}, none, "skip: DynamoDB: nothing to test against: run this, or set DYNAMODB_ENDPOINT"},
		{"broken engine", nil, broken, "fail: it died"},
		{"broken engine in CI", map[string]string{"CI": "1"}, broken, "fail: it died"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tb := &recorder{TB: t}
			done := make(chan struct{})
			go func() { // Skip and Fatal end their goroutine
				defer close(done)
				url := dynamoDBLocal.choose(tb, func(key string) string { return tt.env[key] }, tt.engine)
				tb.verdict = "use " + url
			}()
			<-done
			if tb.verdict != tt.want {
				t.Errorf("got %q, want %q", tb.verdict, tt.want)
			}
		})
	}
}

type recorder struct {
	testing.TB
	verdict string
}

func (r *recorder) Skip(args ...any)  { r.end("skip: " + fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any) { r.end("fail: " + fmt.Sprint(args...)) }

func (r *recorder) end(verdict string) {
	r.verdict = verdict
	runtime.Goexit()
}

func TestLocate(t *testing.T) {
	found := func(program string) (string, error) { return "/usr/bin/" + program, nil }
	without := func(absent string) func(string) (string, error) {
		return func(program string) (string, error) {
			if program == absent {
				return "", exec.ErrNotFound
			}
			return found(program)
		}
	}
	tests := []struct {
		name     string
		fetched  string // content of pom.xml beside the jars; none if empty
		lookPath func(string) (string, error)
		wantErr  string // part of it; none if empty
	}{
		{"fetched", pom, found, ""},
		{"nothing fetched", "", found, "run `make dynamodb-local` once"},
		{"another version fetched", "<project/>", found, "not the version wanted"},
		{"no Java", pom, without("java"), "java is not on the PATH"},
		{"no shell", pom, without("sh"), "sh is not on the PATH"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			lib := filepath.Join(root, ".cache", "dynamodb-local")
			below := filepath.Join(root, "examples", "local")
			for _, dir := range []string{lib, below} {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if tt.fetched != "" {
				if err := os.WriteFile(filepath.Join(lib, "pom.xml"), []byte(tt.fetched), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := dynamoDBLocal.locate(below, tt.lookPath)
			if tt.wantErr == "" {
				if err != nil || got != lib {
					t.Errorf("got %q, %v, want %q", got, err, lib)
				}
				return
			}
			if !errors.Is(err, errMissing) || !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("got error %v, want errMissing with %q", err, tt.wantErr)
			}
		})
	}
}
