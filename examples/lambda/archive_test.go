package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"testing"

	"github.com/devicetokens/devicetokens/examples/lambda/internal/pack"
)

// maxZipBytes bounds what a cold start has to fetch and unpack.
const maxZipBytes = 4 << 20

func TestArchives(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		checkArchive(t, zipPath(dist, arch), arch)
	}
}

func checkArchive(t *testing.T, path, arch string) {
	t.Helper()
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
	// The ELF header: the class is byte 4, the machine bytes 18 and 19.
	header := make([]byte, 20)
	if _, err := io.ReadFull(entry, header); err != nil {
		t.Fatal(err)
	}
	machine := map[string]elf.Machine{"arm64": elf.EM_AARCH64, "amd64": elf.EM_X86_64}[arch]
	if !bytes.HasPrefix(header, []byte(elf.ELFMAG)) || elf.Class(header[4]) != elf.ELFCLASS64 ||
		elf.Machine(binary.LittleEndian.Uint16(header[18:])) != machine {
		t.Errorf("the program in %s begins with %x", path, header)
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
	again := t.TempDir()
	if err := makeZips(t.Context(), again, "amd64"); err != nil {
		t.Fatal(err)
	}
	if first, second := sha256.Sum256(read(t, zipPath(dist, "amd64"))), sha256.Sum256(read(t, zipPath(again, "amd64"))); first != second {
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
