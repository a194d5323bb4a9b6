package main

import (
	"context"
	"fmt"
	"log"
	"runtime"
	"strconv"
	"time"

	"github.com/devicetokens/devicetokens/bench/internal/turns"
	"github.com/devicetokens/devicetokens/bench/memory"
	"github.com/devicetokens/devicetokens/internal/figures"
	"github.com/devicetokens/devicetokens/store"
)

var workloads = []memory.Workload{
	{Registrations: 1_000, Devices: 2},
	{Registrations: 100_000, Devices: 2},
	{Registrations: 100_000, Devices: 20},
	{Registrations: 1_000_000, Devices: 2},
}

func measureMemory(ctx context.Context, rounds int) (map[string]figures.Table, string, error) {
	var (
		names = []string{memory.TwoMaps, memory.MemStore, memory.GoMemDB} // as Contenders has them
		modes = []memory.Mode{memory.Serial, memory.Parallel}
		times = make(map[memory.Mode]*figures.Table)
		bytes = figures.Table{Columns: append([]string{"registrations", "devices a user"}, names...)}
		grown = make(map[string][][]float64) // by operation, in the first workload
	)
	for _, mode := range modes {
		times[mode] = &figures.Table{Columns: []string{
			"operation", "registrations", "devices a user",
			memory.TwoMaps + ", ns", memory.MemStore + ", ns", "ratio", memory.GoMemDB + ", ns", "ratio",
		}}
	}
	growth := figures.Table{Columns: append([]string{"operation"}, names...)}
	for i, w := range workloads {
		log.Printf("memstore: %d registrations, %d devices a user", w.Registrations, w.Devices)
		stores, err := fill(w, store.Policy{}, memory.Contenders())
		if err != nil {
			return nil, "", err
		}
		row := []string{thousands(w.Registrations), strconv.Itoa(w.Devices)}
		for _, s := range stores {
			row = append(row, strconv.Itoa(s.Bytes))
		}
		bytes.Rows = append(bytes.Rows, row)
		for _, op := range memory.Operations() {
			for _, mode := range modes {
				if err := ctx.Err(); err != nil {
					return nil, "", err
				}
				ns, err := memory.Rounds(op, w, mode, stores, rounds)
				if err != nil {
					return nil, "", err
				}
				times[mode].Rows = append(times[mode].Rows, []string{
					op.Name, thousands(w.Registrations), strconv.Itoa(w.Devices),
					median(ns[0], 1), median(ns[1], 1), ratio(ns[1], ns[0]), median(ns[2], 1), ratio(ns[2], ns[0]),
				})
				switch {
				case mode != memory.Serial:
				case i == 0:
					grown[op.Name] = ns
				case i == len(workloads)-1:
					row := []string{op.Name}
					for c := range ns {
						row = append(row, fmt.Sprintf("%.1f", turns.Median(ns[c]).Center/turns.Median(grown[op.Name][c]).Center))
					}
					growth.Rows = append(growth.Rows, row)
				}
			}
		}
	}
	clock, err := measureClock(rounds)
	return map[string]figures.Table{
		"serial": *times[memory.Serial], "parallel": *times[memory.Parallel],
		"bytes": bytes, "growth": growth, "clock": clock,
	}, medians(rounds) + "; " + versions("github.com/hashicorp/go-memdb"), err
}

// fill returns the contenders' stores with the workload in each.
func fill(w memory.Workload, p store.Policy, contenders []memory.Contender) ([]memory.Filled, error) {
	runtime.GC()
	var stores []memory.Filled
	for _, c := range contenders {
		s, err := memory.Fill(c.New(p), w)
		if err != nil {
			return nil, err
		}
		stores = append(stores, s)
	}
	return stores, nil
}

// measureClock shows how much of the reads is the clock's, which two maps without
// an expiry do not read there: the same with a clock that stands still.
func measureClock(rounds int) (figures.Table, error) {
	table := figures.Table{Columns: []string{
		"operation", "registrations", "clock", memory.TwoMaps + ", ns", memory.MemStore + ", ns", "ratio",
	}}
	still := time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
	for _, w := range workloads[:2] {
		for _, clock := range []struct {
			name string
			now  func() time.Time
		}{{"time.Now", time.Now}, {"standing still", func() time.Time { return still }}} {
			stores, err := fill(w, store.Policy{Now: clock.now}, memory.Contenders()[:2])
			if err != nil {
				return table, err
			}
			for _, op := range memory.Operations() {
				if op.Name != "get" && op.Name != "list" {
					continue
				}
				ns, err := memory.Rounds(op, w, memory.Serial, stores, rounds)
				if err != nil {
					return table, err
				}
				table.Rows = append(table.Rows, []string{
					op.Name, thousands(w.Registrations), clock.name, median(ns[0], 1), median(ns[1], 1), ratio(ns[1], ns[0]),
				})
			}
		}
	}
	return table, nil
}
