package main

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// TestMain builds the zips in dist, the bootstrap in the zip for this processor, and the
// program that makes zips. Without the race detector it takes a tenth of the time.
var dist, bootstrap, packer string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "lambda-")
	if err != nil {
		log.Fatal(err)
	}
	code := 1
	if err = buildAll(dir); err == nil {
		code = m.Run()
	}
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
	os.Exit(code)
}

func buildAll(dir string) error {
	dist, packer, bootstrap = dir, filepath.Join(dir, "pack"), filepath.Join(dir, "bootstrap")
	if err := command("go", "build", "-o", packer, "./pack"); err != nil {
		return err
	}
	if err := command(packer, "-dir", dir); err != nil {
		return err
	}
	if runtime.GOOS != "linux" { // where the deployed binary does not run
		return command("go", "build", "-tags=lambda.norpc", "-o", bootstrap, ".")
	}
	files, err := zip.OpenReader(zipPath(dir, runtime.GOARCH))
	if err != nil {
		return err
	}
	return errors.Join(os.CopyFS(dir, files), files.Close())
}

func command(name string, args ...string) error {
	if output, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, output)
	}
	return nil
}

func zipPath(dir, arch string) string { return filepath.Join(dir, "device-tokens-"+arch+".zip") }

// maxZipBytes limits what a cold start has to fetch and unpack.
const maxZipBytes = 4 << 20

// Each zip has the executable for its kind of processor and nothing else.
func TestArchives(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"arm64": elf.EM_AARCH64, "amd64": elf.EM_X86_64} {
		data, err := os.ReadFile(zipPath(dist, arch))
		if err != nil || len(data) > maxZipBytes {
			t.Errorf("%s has %d bytes, want at most %d: %v", arch, len(data), maxZipBytes, err)
		}
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
			t.Fatalf("the zip has %d files, the first is %s with mode %v", len(z.File), z.File[0].Name, z.File[0].Mode())
		}
		program, err := fs.ReadFile(z, "bootstrap")
		if err != nil {
			t.Fatal(err)
		}
		header, err := elf.NewFile(bytes.NewReader(program))
		if err != nil || header.Class != elf.ELFCLASS64 || header.Machine != machine {
			t.Errorf("%s has a program for %+v: %v", arch, header, err)
		}
	}
}

// The environment of a developer does not change the zip.
func TestReproducible(t *testing.T) {
	t.Setenv("GOAMD64", "v3")
	t.Setenv("GOARM64", "v9.0")
	t.Setenv("GOFLAGS", "-trimpath=false")
	again := t.TempDir()
	if err := command(packer, "-dir", again, "amd64"); err != nil {
		t.Fatal(err)
	}
	first, err1 := os.ReadFile(zipPath(dist, "amd64"))
	second, err2 := os.ReadFile(zipPath(again, "amd64"))
	if err := errors.Join(err1, err2); err != nil || !bytes.Equal(first, second) {
		t.Errorf("two builds differ: %v", err)
	}
	if err := command(packer, "-dir", again, "vax"); err == nil {
		t.Error("built for an unknown processor")
	}
}
