package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/store"
)

func (p *program) export() *cobra.Command {
	var (
		f          bulkFlags
		file       string
		withTokens bool
	)
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all registrations as lines of JSON",
		Long: "Writes all registrations as lines of JSON, in no particular order: key, hash of the token, platform,\n" +
			"project, status and times. A registration that cannot be decoded is a line with its key and an error. If\n" +
			"the store is written to meanwhile, the lines are not a snapshot and a key may occur twice. --state needs\n" +
			"--file.",
		Args: arguments(0, "export takes flags only"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.state != "" && file == "" {
				return &usageError{"--state needs --file, to continue after the last complete line"}
			}
			db, err := p.open(cmd.Context(), p.db, false)
			if err != nil {
				return err
			}
			return p.exportTo(cmd.Context(), db, f, file, withTokens)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&file, "file", "", "new `file` to write to, for its owner's eyes only; without it, standard output")
	cmd.Flags().BoolVar(&withTokens, "tokens", false, "write tokens, which are credentials, too: import needs them")
	return cmd
}

func (p *program) exportTo(ctx context.Context, db *database.Database, f bulkFlags, file string, withTokens bool) (err error) {
	b, err := p.startBulk(f.state, fmt.Sprintf("export %s to %s, tokens %t", db.Name, file, withTokens))
	if err != nil {
		return err
	}
	out := p.out
	if file != "" {
		opened, err := openExport(file, b)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, opened.Close()) }()
		out, b.sync = opened, opened.Sync
	}
	err = p.walk(ctx, b, "export", db.Walker, f, func(_ context.Context, records []store.Record) (func() error, error) {
		var (
			text   []byte
			err    error
			counts = map[string]int{}
		)
		for _, r := range records {
			if text, err = appendLine(text, lineOf(r, withTokens)); err != nil {
				return nil, err
			}
			if r.Err != nil {
				counts[statusUnreadable]++
			}
		}
		return func() error {
			if _, err := out.Write(text); err != nil {
				return err
			}
			b.Bytes += int64(len(text))
			b.add(counts)
			return nil
		}, nil
	})
	if err := b.end(err); err != nil {
		return err
	}
	fmt.Fprintf(p.err, "%s written, %d of them unreadable\n", count(b.Counts["export"], "registration"), b.Counts[statusUnreadable])
	return nil
}

// openExport makes the file, or goes on behind its last line of which the state
// knows.
func openExport(file string, b *bulk) (*os.File, error) {
	if !b.resumed {
		return os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err == nil && end < b.Bytes {
		err = errors.New("--file: the file is shorter than recorded in --state")
	}
	if err == nil {
		err = f.Truncate(b.Bytes)
	}
	if err == nil {
		_, err = f.Seek(b.Bytes, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// maxProjects is the number of projects that stats counts separately.
const maxProjects = 1000

func (p *program) stats() *cobra.Command {
	var f bulkFlags
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Count registrations by status, platform and project",
		Long: "Counts all registrations by status, as list shows it, including unreadable and expired ones. Counts those\n" +
			"that are not expired by platform and by project.",
		Args: arguments(0, "stats takes flags only"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, err := p.open(cmd.Context(), p.db, false)
			if err != nil {
				return err
			}
			b, err := p.startBulk(f.state, "stats "+db.Name)
			if err != nil {
				return err
			}
			err = p.walk(cmd.Context(), b, "total", db.Walker, f, func(_ context.Context, records []store.Record) (func() error, error) {
				return func() error { b.addStats(records, time.Now()); return nil }, nil
			})
			if err := b.end(err); err != nil {
				return err
			}
			return p.showCounts(b.Counts)
		},
	}
	f.add(cmd)
	return cmd
}

func (b *bulk) addStats(records []store.Record, now time.Time) {
	for _, r := range records {
		status := statusOf(r, now)
		b.Counts["status "+status]++
		if status == statusUnreadable || status == statusExpired {
			continue
		}
		b.Counts["platform "+string(r.Registration.Platform)]++
		project := "project " + cmp.Or(string(r.Registration.ProjectID), "-")
		if _, counted := b.Counts[project]; !counted && len(b.Counts) > maxProjects {
			project = "other projects"
		}
		b.Counts[project]++
	}
}

// showCounts shows the counts of a run, by name.
func (p *program) showCounts(counts map[string]int) error {
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		rows = append(rows, []string{name, strconv.Itoa(counts[name])})
	}
	return p.show(counts, []string{"WHAT", "COUNT"}, rows)
}
