package main

import (
	"context"

	"github.com/devicetokens/devicetokens/bench/server"
	"github.com/devicetokens/devicetokens/internal/figures"
)

// measureHandlers compares what a request costs within the handler.
func measureHandlers(_ context.Context, rounds int) (map[string]figures.Table, string, error) {
	table := figures.Table{Columns: []string{"operation", "by", "allocations", "ratio", "KiB", "ratio", "µs", "ratio"}}
	for _, op := range server.Operations() {
		var contenders []contender
		for _, name := range server.Names {
			h, err := server.Handler(name, nil)
			if err != nil {
				return nil, "", err
			}
			if err := server.Register(h, server.Devices); err != nil {
				return nil, "", err
			}
			contenders = append(contenders, contender{name, op.Caller(h)})
		}
		rows, err := compare(contenders, 0, rounds)
		if err != nil {
			return nil, "", err
		}
		for _, row := range rows {
			table.Rows = append(table.Rows, append([]string{op.Name}, row...))
		}
	}
	return map[string]figures.Table{"cost": table}, medians(rounds), nil
}
