// Command compare measures the contenders of package bench in turns, and prints
// the medians. With -write it puts them into a document, between two marks.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/bench"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("compare: ")
	testing.Init()
	rounds := flag.Int("rounds", 51, "how often each contender is measured")
	document := flag.String("write", "", "the document to write the results into")
	benchtime := flag.String("benchtime", "30ms", "how long each measurement takes")
	flag.Parse()
	if err := flag.Set("test.benchtime", *benchtime); err != nil {
		log.Fatal(err)
	}

	table := render(measure(*rounds), *rounds)
	fmt.Print(table)
	if *document != "" {
		if err := write(*document, table); err != nil {
			log.Fatal(err)
		}
	}
}

// results are those of all rounds, by operation and contender.
type results map[[2]string][]testing.BenchmarkResult

// measure lets the contenders take turns, so that whatever else the machine does
// slows all of them.
func measure(rounds int) results {
	all := make(results)
	for range rounds {
		for _, op := range bench.Operations() {
			for _, c := range bench.Contenders(nil) {
				result := testing.Benchmark(func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if err := op.Call(c, context.Background()); err != nil {
							log.Fatal(err)
						}
					}
				})
				key := [2]string{op.Name, c.Name}
				all[key] = append(all[key], result)
			}
		}
	}
	return all
}

func render(all results, rounds int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Medians of %d rounds, and of the ratios within each round: %s on %s/%s, %d CPUs,\n"+
		"`aws-sdk-go-v2/service/dynamodb` %s, `guregu/dynamo` %s.\n\n",
		rounds, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		version("github.com/aws/aws-sdk-go-v2/service/dynamodb"), version("github.com/guregu/dynamo/v2"))
	b.WriteString("| operation | by | allocations | ratio | KiB | ratio | µs | ratio |\n")
	b.WriteString("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, op := range bench.Operations() {
		byHand := all[[2]string{op.Name, bench.Raw}]
		for _, contender := range []string{bench.Ours, bench.Raw, bench.Guregu} {
			measured := all[[2]string{op.Name, contender}]
			allocs, allocsRatio := medians(measured, byHand, testing.BenchmarkResult.AllocsPerOp)
			size, sizeRatio := medians(measured, byHand, testing.BenchmarkResult.AllocedBytesPerOp)
			ns, nsRatio := medians(measured, byHand, testing.BenchmarkResult.NsPerOp)
			fmt.Fprintf(&b, "| %s | %s | %.0f | %.3f | %.1f | %.2f | %.0f | %.2f |\n",
				op.Name, contender, allocs, allocsRatio, size/1024, sizeRatio, ns/1000, nsRatio)
		}
	}
	return b.String()
}

// medians returns the median of a figure, and that of its ratios to byHand's in
// the same rounds.
func medians(measured, byHand []testing.BenchmarkResult, figure func(testing.BenchmarkResult) int64) (value, ratio float64) {
	var values, ratios []float64
	for i := range measured {
		v := float64(figure(measured[i]))
		values = append(values, v)
		ratios = append(ratios, v/float64(figure(byHand[i])))
	}
	slices.Sort(values)
	slices.Sort(ratios)
	return values[len(values)/2], ratios[len(ratios)/2]
}

// version returns the version of a module that this program is built of.
func version(path string) string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "?"
}

// The marks around the results in a document.
var (
	begin = []byte("<!-- make bench: begin -->\n")
	end   = []byte("<!-- make bench: end -->\n")
)

// write puts the results between the marks.
func write(document, table string) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	head, rest, ok := bytes.Cut(text, begin)
	_, tail, ok2 := bytes.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no marks for the results", document)
	}
	return os.WriteFile(document, slices.Concat(head, begin, []byte("\n"+table+"\n"), end, tail), 0o644)
}
