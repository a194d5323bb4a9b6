package pack_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/devicetokens/devicetokens/examples/lambda/internal/pack"
)

const (
	function = "github.com/devicetokens/devicetokens/examples/lambda"

	// What a cold start has to fetch and unpack.
	maxZipBytes = 4 << 20
)

func TestArchive(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"arm64": elf.EM_AARCH64, "amd64": elf.EM_X86_64} {
		t.Run(arch, func(t *testing.T) {
			path := archive(t, function, arch)
			if arch == "amd64" {
				checkReproducible(t, path)
			}
			if got, want := filepath.Base(path), "device-tokens-"+arch+".zip"; got != want {
				t.Errorf("the zip is %s, want %s", got, want)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > maxZipBytes {
				t.Errorf("the zip has %d bytes, want at most %d", info.Size(), maxZipBytes)
			}
			z, err := zip.OpenReader(path)
			if err != nil {
				t.Fatal(err)
			}
			defer z.Close()
			if len(z.File) != 1 || z.File[0].Name != "bootstrap" {
				t.Fatalf("the zip has %d files, the first is %s", len(z.File), z.File[0].Name)
			}
			if mode := z.File[0].Mode(); mode != 0o755 {
				t.Errorf("the mode is %v", mode)
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
			if program.Machine != machine || program.Class != elf.ELFCLASS64 {
				t.Errorf("the program is for %v, %v", program.Machine, program.Class)
			}
			if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) > 0 {
				t.Errorf("the program is linked to %q (%v)", libraries, err)
			}
		})
	}
}

func TestArchiveOfNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := pack.Archive(t.Context(), function+"/nothing", "amd64", dir); err == nil {
		t.Error("built a package that is not there")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v (%v)", left, err)
	}
}

// checkReproducible builds the zip at path a second time, elsewhere, and as a
// developer with settings of their own.
func checkReproducible(t *testing.T, path string) {
	t.Helper()
	t.Setenv("GOAMD64", "v3")
	t.Setenv("GOFLAGS", "-trimpath=false")
	var hashes [2][sha256.Size]byte
	for i, p := range []string{path, archive(t, function, "amd64")} {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		hashes[i] = sha256.Sum256(data)
	}
	if hashes[0] != hashes[1] {
		t.Errorf("two builds differ: %x", hashes)
	}
}

func archive(t *testing.T, pkg, arch string) string {
	t.Helper()
	path, err := pack.Archive(t.Context(), pkg, arch, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return path
}
