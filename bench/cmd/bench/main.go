// Command bench measures everything that the packages of this module compare, and
// writes the results, the plots and the tables of the documents. `make bench` runs
// it in bench/.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/bench/internal/plots"
	"github.com/devicetokens/devicetokens/internal/figures"
)

// usualRounds is what the Makefile has for BENCHROUNDS.
const usualRounds = 31

func main() {
	log.SetFlags(log.Ltime)
	testing.Init() // for testing.Benchmark
	root := flag.String("root", "..", "the `folder` of the repository")
	rounds := flag.Int("rounds", usualRounds, "how often each contender is measured; at least 6 for a confidence of 95 %")
	only := flag.String("only", "", "the `parts` to measure, separated by commas; all if empty, and 'none' for none, to draw the last results again")
	handler := flag.String("serve", "", "serve the `contender` of package server until the standard input ends, and measure nothing")
	flag.Parse()
	if err := flag.Set("test.benchtime", "30ms"); err != nil {
		log.Fatal(err)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *handler != "" {
		if err := serve(*handler); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(ctx, *root, *only, *rounds); err != nil {
		log.Fatal(err)
	}
}

// A part is measured at once and recorded in a file of its own.
type part struct {
	name    string
	measure func(ctx context.Context, rounds int) (map[string]figures.Table, string, error)
}

var parts = []part{
	{"memstore", measureMemory},
	{"dynamostore", measureTransport},
	{"dynamodb-local", measureEndToEnd},
	{"httpapi", measureHandlers},
	{"load", measureLoad},
}

// command makes the figures of one part again.
func command(part string, rounds int) string {
	text := "make bench BENCHONLY=" + part
	if rounds != usualRounds {
		text += fmt.Sprintf(" BENCHROUNDS=%d", rounds)
	}
	return text
}

func run(ctx context.Context, root, only string, rounds int) error {
	for name := range strings.SplitSeq(only, ",") {
		if only != "" && name != "none" && !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("no part is called %q", name)
		}
	}
	results := filepath.Join(root, figures.Results)
	wanted := func(name string) bool { return only == "" || strings.Contains(","+only+",", ","+name+",") }
	for _, p := range parts {
		if !wanted(p.name) {
			continue
		}
		machine := figures.Machine() // with the load before there is ours
		began := time.Now()
		tables, how, err := p.measure(ctx, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		result := figures.Result{Command: command(p.name, rounds), Machine: machine + "; " + how, Tables: tables}
		if err := errors.Join(ctx.Err(), result.Write(results, "bench-"+p.name)); err != nil {
			return err
		}
		log.Printf("%s took %v", p.name, time.Since(began).Round(time.Second))
	}
	if err := summarize(results); err != nil {
		return err
	}
	if err := plots.Write(os.DirFS(results), filepath.Join(root, plots.Folder)); err != nil {
		return err
	}
	return figures.Update(root)
}
