package sqlengines

import (
	"context"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestCosts compares the statements and the round trips of each path with the table in the documentation of sqlstore.
func TestCosts(t *testing.T) {
	documented := documentedCosts(t)
	for _, e := range Engines {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e.Open)
			var sent []string
			wire := &Wire{}
			o := Options{Hook: func(ctx context.Context, text string, send func(context.Context, string) error) error {
				sent = append(sent, kind(text))
				return send(ctx, text)
			}}
			if e.Name == "Postgres" {
				o.Config = wire.Through
			}
			s := w.through(o)
			for _, p := range paths {
				t.Run(p.name, func(t *testing.T) {
					var before int
					for range 2 { // the driver prepares each statement once
						w.give(p)
						before = wire.Requests()
						sent = nil
						if err := p.call(t.Context(), s); err != nil {
							t.Fatal(err)
						}
					}
					want, ok := documented[p.cost]
					if got := strings.Join(sent, ", "); got != want || !ok {
						t.Errorf("it sends %s; documented as %q is %s", got, p.cost, want)
					}
					if trips := wire.Requests() - before; o.Config != nil && trips != len(sent) {
						t.Errorf("%d round trips for %d statements", trips, len(sent))
					}
				})
			}
		})
	}
}

// documentedCosts returns the statements by the first column of the table.
func documentedCosts(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../sqlstore/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	costs := make(map[string]string)
	line := regexp.MustCompile(`(?m)^//\t(.+?) +(\d+)  (.*)$`)
	for _, m := range line.FindAllStringSubmatch(string(text), -1) {
		costs[strings.TrimSpace(m[1])] = m[3]
		if n := strings.Count(m[3], ",") + 1; m[2] != strconv.Itoa(n) {
			t.Errorf("%q has the number %s and %d statements", m[1], m[2], n)
		}
	}
	if len(costs) < 5 {
		t.Fatalf("%d costs are documented", len(costs))
	}
	return costs
}

// kind is the first word of a statement, or lock.
func kind(text string) string {
	if strings.Contains(text, "pg_advisory_xact_lock") || strings.HasSuffix(text, "WHERE user_id IS NULL") {
		return "lock"
	}
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return strings.ToUpper(word)
}
