package main

import (
	"context"
	"fmt"
	"log"
	"strconv"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/bench/dynamo"
	"github.com/devicetokens/devicetokens/bench/internal/turns"
	"github.com/devicetokens/devicetokens/internal/figures"
)

const sdk = "github.com/aws/aws-sdk-go-v2/service/dynamodb"

// measureTransport compares what it costs in this process, with canned answers.
func measureTransport(ctx context.Context, rounds int) (map[string]figures.Table, string, error) {
	table := figures.Table{Columns: []string{"operation", "by", "allocations", "ratio", "KiB", "ratio", "µs", "ratio"}}
	for _, op := range dynamo.Operations() {
		var contenders []contender
		var floor int
		for i, c := range dynamo.Contenders(nil) {
			if c.Name == dynamo.Raw {
				floor = i
			}
			contenders = append(contenders, contender{c.Name, func() error { return op.Call(c, ctx) }})
		}
		rows, err := compare(contenders, floor, rounds)
		if err != nil {
			return nil, "", err
		}
		for _, row := range rows {
			table.Rows = append(table.Rows, append([]string{op.Name}, row...))
		}
	}
	return map[string]figures.Table{"cost": table}, medians(rounds) + "; " + versions(sdk, "github.com/guregu/dynamo/v2"), nil
}

// measureEndToEnd compares what it costs on DynamoDB Local.
func measureEndToEnd(ctx context.Context, rounds int) (tables map[string]figures.Table, how string, err error) {
	const batch = 5 // calls that are timed together
	tb := tb{ctx: ctx}
	table := figures.Table{Columns: []string{"operation", "by", "round trips", "units on AWS", "ms", "ratio"}}
	for _, j := range dynamo.Journeys() {
		stores := make([]dynamo.Store, len(dynamo.EndToEnd))
		costs := make([]dynamo.Cost, len(stores))
		for i, name := range dynamo.EndToEnd {
			if costs[i], err = j.Cost(tb, name); err != nil {
				return nil, "", err
			}
			stores[i] = dynamo.NewTable(tb, name, nil)
			if err := j.Prepare(ctx, stores[i]); err != nil {
				return nil, "", err
			}
		}
		ms := make([][]float64, len(stores))
		for round := range rounds + 1 {
			for i := range stores {
				i = (i + round) % len(stores)
				began := time.Now()
				for n := range batch {
					if err := j.Call(ctx, stores[i], round*batch+n); err != nil {
						return nil, "", err
					}
				}
				if round > 0 { // the first warms up the engine
					ms[i] = append(ms[i], float64(time.Since(began))/batch/float64(time.Millisecond))
				}
			}
		}
		for i, name := range dynamo.EndToEnd {
			table.Rows = append(table.Rows, []string{
				j.Name, name, strconv.Itoa(costs[i].RoundTrips), costs[i].Units(), median(ms[i], 1), ratio(ms[i], ms[0]),
			})
		}
	}
	return map[string]figures.Table{"cost": table}, medians(rounds) + "; " + versions(sdk), nil
}

// A contender is what compare measures.
type contender struct {
	name string
	call func() error
}

// compare returns a row for each of the contenders: its name, and its allocations,
// KiB and µs, each with the ratio to that of the floor.
func compare(contenders []contender, floor, rounds int) ([][]string, error) {
	var (
		allocs = make([][]float64, len(contenders))
		kib    = make([][]float64, len(contenders))
		us     = make([][]float64, len(contenders))
		failed error
	)
	for round := range rounds {
		for i := range contenders {
			i = (i + round) % len(contenders)
			c := contenders[i]
			r := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := c.call(); err != nil {
						failed = fmt.Errorf("%s: %w", c.name, err)
						b.FailNow()
					}
				}
			})
			if failed != nil {
				return nil, failed
			}
			allocs[i] = append(allocs[i], float64(r.AllocsPerOp()))
			kib[i] = append(kib[i], float64(r.AllocedBytesPerOp())/(1<<10))
			us[i] = append(us[i], float64(r.T)/float64(r.N)/float64(time.Microsecond))
		}
	}
	var rows [][]string
	for i, c := range contenders {
		rows = append(rows, []string{
			c.name,
			fmt.Sprintf("%.0f", turns.Median(allocs[i]).Center), fmt.Sprintf("%.3f", turns.Ratio(allocs[i], allocs[floor]).Center),
			median(kib[i], 1), fmt.Sprintf("%.2f", turns.Ratio(kib[i], kib[floor]).Center),
			median(us[i], 1), ratio(us[i], us[floor]),
		})
		log.Printf("%s: %v", c.name, rows[i][1:])
	}
	return rows, nil
}

// A tb lets the helpers of tests, which start DynamoDB Local, serve a program.
type tb struct {
	testing.TB
	ctx context.Context
}

func (tb) Helper()                           {}
func (t tb) Context() context.Context        { return t.ctx }
func (tb) Skip(args ...any)                  { log.Fatal(args...) }
func (tb) Fatal(args ...any)                 { log.Fatal(args...) }
func (tb) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }
