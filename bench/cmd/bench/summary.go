package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/devicetokens/devicetokens/bench/dynamo"
	"github.com/devicetokens/devicetokens/bench/server"
	"github.com/devicetokens/devicetokens/internal/figures"
)

// summarize records the two figures that matter most, those of an app's launch,
// out of the results of the parts.
func summarize(folder string) error {
	local, err := figures.Read(os.DirFS(folder), "bench-dynamodb-local")
	if err != nil {
		return err
	}
	handlers, err := figures.Read(os.DirFS(folder), "bench-httpapi")
	if err != nil {
		return err
	}
	table := figures.Table{Columns: []string{"an app starts, nothing changed", "this library", "what one writes first", "ratio of times"}}
	row := func(r figures.Result, what, ours, floor string, cell func([]string) string) error {
		a, b := refresh(r, ours), refresh(r, floor)
		if a == nil || b == nil {
			return fmt.Errorf("there is no refresh by %s or by %s", ours, floor)
		}
		table.Rows = append(table.Rows, []string{what, cell(a), cell(b), a[len(a)-1]})
		return nil
	}
	err = errors.Join(
		row(local, "on DynamoDB Local", dynamo.Ours, dynamo.PutThenUpdate, func(row []string) string {
			return row[4] + " ms, round trips: " + row[2] + ", units: " + row[3]
		}),
		row(handlers, "in the HTTP handler", server.Ours, server.Bare, func(row []string) string {
			return row[6] + " µs, allocations: " + row[2]
		}),
	)
	if err != nil {
		return err
	}
	result := figures.Result{
		Command: "make bench",
		Machine: "on DynamoDB Local: " + local.Machine + "; in the handler: " + handlers.Machine,
		Tables:  map[string]figures.Table{"launch": table},
	}
	return result.Write(folder, "bench-summary")
}

// refresh returns the row of a refresh by that contender.
func refresh(r figures.Result, by string) []string {
	for _, row := range r.Tables["cost"].Rows {
		if row[0] == "refresh" && row[1] == by {
			return row
		}
	}
	return nil
}
