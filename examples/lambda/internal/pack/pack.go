// Package pack builds the function and makes the zip that Lambda takes: the same
// bytes from the same sources and the same Go, wherever and whenever it runs.
package pack

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Name is what the runtime provided.al2023 starts.
const Name = "bootstrap"

// Binary compiles the package (a path or a pattern, as go build takes it, in the
// module of the working directory) into the file at path.
func Binary(ctx context.Context, pkg, system, arch, path string) error {
	// The tag leaves out how the retired runtime go1.x was called: a megabyte of
	// the zip, with net/rpc.
	cmd := exec.CommandContext(ctx, "go", "build", "-tags=lambda.norpc",
		"-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", path, pkg)
	// What a developer's environment could change in the result.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch,
		"GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, output)
	}
	return nil
}

// Zip writes a zip with the binary at path in it, as [Name].
func Zip(w io.Writer, path string) error {
	binary, err := os.Open(path)
	if err != nil {
		return err
	}
	defer binary.Close()
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	header := &zip.FileHeader{
		Name: Name, Method: zip.Deflate,
		Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC), // the first that a zip can say
	}
	header.SetMode(0o755)
	entry, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, binary); err != nil {
		return err
	}
	return z.Close()
}

// Archive builds the package for Linux on arch and leaves device-tokens-ARCH.zip in dir,
// which it creates. It returns the zip's path.
func Archive(ctx context.Context, pkg, arch, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp("", "pack-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	binary := filepath.Join(scratch, Name)
	if err := Binary(ctx, pkg, "linux", arch, binary); err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := Zip(&b, binary); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "device-tokens-"+arch+".zip")
	return path, os.WriteFile(path, b.Bytes(), 0o644)
}
