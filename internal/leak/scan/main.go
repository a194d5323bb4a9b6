// Scan looks through what the tests printed, as `go test -json` has it, for the
// tokens and user ids that the code of the repository spells out, and for
// anything that begins like a token. `make test` runs it; it fails where it finds
// one.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/devicetokens/devicetokens/internal/figures"
)

func main() {
	log.SetFlags(0)
	record := flag.Bool("record", false, "record what was inspected in "+figures.Results)
	flag.Parse()
	if err := run(flag.Arg(0), *record); err != nil {
		log.Fatal(err)
	}
}

func run(file string, record bool) error {
	known, err := collect(".")
	if err != nil {
		return err
	}
	output, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = output.Close() }() // it was only read
	f, err := scan(output, known)
	if err != nil {
		return err
	}
	log.Print(f)
	for _, l := range f.leaks {
		log.Print("  ", l)
	}
	if len(f.leaks) > 0 {
		return fmt.Errorf("%d lines show a token or a user id", len(f.leaks))
	}
	if f.lines == 0 || len(known.tokens) == 0 || len(known.users) == 0 {
		return fmt.Errorf("there was nothing to look for, or nothing to look through")
	}
	if record {
		return f.result(known).Write(figures.Results, "leaks")
	}
	return nil
}
