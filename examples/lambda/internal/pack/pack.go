// Package pack builds the function and its zip for Lambda. The build is reproducible:
// the same sources and Go version give the same bytes.
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

// Name is the executable that the runtime provided.al2023 starts.
const Name = "bootstrap"

// Binary compiles the package (a path or a pattern, as go build takes it, in the
// module of the working directory) into the file at path.
func Binary(ctx context.Context, pkg, system, arch, path string) error {
	// The tag excludes the code for the retired runtime go1.x, which with net/rpc is a
	// megabyte of the zip.
	cmd := exec.CommandContext(ctx, "go", "build", "-tags=lambda.norpc",
		"-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", path, pkg)
	// These variables of the environment could change the result.
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
		Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC), // the earliest time in a zip
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

// Archive builds the package for Linux on arch, writes device-tokens-ARCH.zip to dir,
// which it creates if necessary, and returns the path of the zip.
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
