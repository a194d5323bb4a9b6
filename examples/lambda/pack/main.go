// Command pack builds the zips of the function, for both of Lambda's architectures or
// for the named ones, and prints the hash and size of each. The same sources and Go
// version give the same bytes. `make lambda` runs it in examples/.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// bootstrap is the executable that the runtime provided.al2023 starts.
const bootstrap = "bootstrap"

func main() {
	dir := flag.String("dir", "lambda/dist", "`folder` for the zips")
	flag.Parse()
	processors := flag.Args()
	if len(processors) == 0 {
		processors = []string{"arm64", "amd64"}
	}
	for _, arch := range processors {
		if err := archive(arch, *dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// archive writes device-tokens-ARCH.zip to dir, which it creates if necessary.
func archive(arch, dir string) error {
	binary, err := build(arch)
	if err != nil {
		return err
	}
	data, err := zipped(binary)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, "device-tokens-"+arch+".zip")
	fmt.Printf("%x  %s  %.2f MB\n", sha256.Sum256(data), path, float64(len(data))/1e6)
	return os.WriteFile(path, data, 0o644)
}

// build compiles the function for Linux on arch.
func build(arch string) ([]byte, error) {
	scratch, err := os.MkdirTemp("", "pack-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	path := filepath.Join(scratch, bootstrap)
	// The tag excludes the code for the retired runtime go1.x, which with net/rpc is a
	// megabyte of the zip.
	cmd := exec.Command("go", "build", "-tags=lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=",
		"-o", path, "github.com/devicetokens/devicetokens/examples/lambda")
	// These variables of the environment could change the result.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch,
		"GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, output)
	}
	return os.ReadFile(path)
}

// zipped returns a zip that contains the binary.
func zipped(binary []byte) ([]byte, error) {
	var data bytes.Buffer
	z := zip.NewWriter(&data)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	header := &zip.FileHeader{
		Name: bootstrap, Method: zip.Deflate,
		Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC), // the earliest time in a zip
	}
	header.SetMode(0o755)
	entry, err := z.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := entry.Write(binary); err != nil {
		return nil, err
	}
	err = z.Close()
	return data.Bytes(), err
}
