package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/devicetokens/devicetokens/examples/lambda/internal/pack"
)

// maxZipBytes bounds what a cold start has to fetch and unpack.
const maxZipBytes = 4 << 20

func TestArchives(t *testing.T) {
	checkArchive(t, archive, runtime.GOARCH)
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	path, err := pack.Archive(t.Context(), ".", other, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	checkArchive(t, path, other)
}

func checkArchive(t *testing.T, path, arch string) {
	t.Helper()
	if got, want := filepath.Base(path), "device-tokens-"+arch+".zip"; got != want {
		t.Errorf("the zip is %s, want %s", got, want)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
		t.Fatalf("the zip has %d files, the first is %s with mode %v", len(z.File), z.File[0].Name, z.File[0].Mode())
	}
	entry, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := io.ReadAll(entry)
	if err != nil {
		t.Fatal(err)
	}
	program, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		t.Fatal(err)
	}
	if machine := map[string]elf.Machine{"arm64": elf.EM_AARCH64, "amd64": elf.EM_X86_64}[arch]; program.Machine != machine {
		t.Errorf("the program in %s is for %v", path, program.Machine)
	}
	if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("the program is linked to %q (%v)", libraries, err)
	}
	if size := len(read(t, path)); size > maxZipBytes {
		t.Errorf("%s has %d bytes, want at most %d", path, size, maxZipBytes)
	}
}

// TestReproducible builds a second time, elsewhere, and as a developer with
// settings of their own.
func TestReproducible(t *testing.T) {
	t.Setenv("GOAMD64", "v3")
	t.Setenv("GOARM64", "v9.0")
	t.Setenv("GOFLAGS", "-trimpath=false")
	again, err := pack.Archive(t.Context(), ".", runtime.GOARCH, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if first, second := sha256.Sum256(read(t, archive)), sha256.Sum256(read(t, again)); first != second {
		t.Errorf("two builds differ: %x and %x", first, second)
	}
}

func TestArchiveOfNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := pack.Archive(t.Context(), "./nothing", "amd64", dir); err == nil {
		t.Error("built a package that is not there")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v (%v)", left, err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
