// Command pack builds the zips of the function, for both of Lambda's architectures or
// for the named ones, and prints the hash and size of each. `make lambda` runs it in
// examples/.
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"

	"github.com/devicetokens/devicetokens/examples/lambda/internal/pack"
)

func main() {
	dir := flag.String("dir", "lambda/dist", "`folder` for the zips")
	flag.Parse()
	processors := flag.Args()
	if len(processors) == 0 {
		processors = []string{"arm64", "amd64"}
	}
	for _, arch := range processors {
		path, err := pack.Archive(context.Background(), "github.com/devicetokens/devicetokens/examples/lambda", arch, *dir)
		if err == nil {
			err = report(path)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func report(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	fmt.Printf("%x  %s  %.2f MB\n", sha256.Sum256(data), path, float64(len(data))/1e6)
	return nil
}
