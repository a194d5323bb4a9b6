package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/store"
)

type bulkFlags struct {
	segments, pageSize int
	state              string
}

// maxPageSize limits the memory of a run.
const maxPageSize = 1000

func (f *bulkFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&f.segments, "segments", 16, "`parts` to process concurrently")
	flags.IntVar(&f.pageSize, "page-size", 200, "`rows` of each part to read at a time")
	flags.StringVar(&f.state, "state", "", "`file` for the progress of the run, to continue after an interruption")
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if f.segments < 1 || f.segments > 256 || f.pageSize < 1 || f.pageSize > maxPageSize {
			return &usageError{"--segments must be 1 to 256, and --page-size 1 to 1000"}
		}
		return check(cmd, args)
	}
}

// A bulk is the progress of a run over a store. A cursor is saved together with the
// counts before it.
type bulk struct {
	Command string            `json:"command"` // with the stores; each command needs its own file
	Walks   map[string][]part `json:"walks,omitempty"`
	Counts  map[string]int    `json:"counts"`
	Bytes   int64             `json:"bytes,omitempty"` // written bytes of the output

	file    string
	output  *os.File // of export --file; nil: standard output
	resumed bool
	mu      sync.Mutex
}

// A part is a segment of a walk.
type part struct {
	Cursor store.Cursor `json:"cursor"`
	Done   bool         `json:"done,omitempty"`
}

var errOtherRun = errors.New("--state: the file is from another command, other stores or another program")

// startBulk returns the progress of an earlier run if the file exists.
func startBulk(file, command string) (*bulk, error) {
	b := &bulk{Command: command, Walks: map[string][]part{}, Counts: map[string]int{}, file: file}
	if file == "" {
		return b, nil
	}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return b, b.save()
	case err != nil:
		return nil, fmt.Errorf("--state: %w", err)
	}
	b.Command = ""
	if err := json.Unmarshal(text, b); err != nil || b.Command != command || b.Walks == nil || b.Counts == nil {
		return nil, errOtherRun
	}
	b.resumed = true
	return b, nil
}

// save replaces the file of the state atomically.
func (b *bulk) save() error {
	if b.file == "" {
		return nil
	}
	text, err := json.Marshal(b)
	next := b.file + ".new"
	if err == nil {
		err = os.WriteFile(next, text, 0o600) // a cursor contains a user id
	}
	if err == nil {
		err = os.Rename(next, b.file)
	}
	if err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	return nil
}

// end removes the file of the state after a complete run. Otherwise it keeps the file
// and returns how to continue.
func (b *bulk) end(err error) error {
	switch {
	case err == nil && b.file != "":
		return os.Remove(b.file)
	case err == nil:
		return nil
	case errors.Is(err, errNotConfirmed):
		return errors.Join(err, b.save())
	case b.file == "":
		return fmt.Errorf("interrupted: run it again; use --state to be able to continue: %w", err)
	}
	return errors.Join(fmt.Errorf("interrupted: run it again with the same --state to continue: %w", err), b.save())
}

// A result is what a visit of a page found. It is committed together with the cursor.
type result struct {
	counts        map[string]int
	out, problems bytes.Buffer // for the output and standard error
}

type visit func(context.Context, []store.Record, *result) error

func (r *result) writeJSON(v any) error {
	text, err := marshal(v)
	r.out.Write(append(text, '\n'))
	return err
}

// walk calls visit for each page that an earlier run has not processed, concurrently.
func (p *program) walk(ctx context.Context, b *bulk, name string, w store.Walker, f bulkFlags, visit visit) error {
	if b.Walks[name] == nil {
		starts, err := w.Segments(ctx, f.segments)
		if err != nil {
			return err
		}
		for _, start := range starts {
			b.Walks[name] = append(b.Walks[name], part{Cursor: start})
		}
	}
	out := p.out
	if b.output != nil {
		out = b.output
	}
	advance, finish := p.progress(name, -1)
	defer finish()
	commit := func(part *part, r *result, next store.Cursor) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if _, err := out.Write(r.out.Bytes()); err != nil {
			return err
		}
		if _, err := p.err.Write(r.problems.Bytes()); err != nil {
			return err
		}
		b.Bytes += int64(r.out.Len())
		b.add(r.counts)
		part.Cursor, part.Done = next, next == ""
		advance(b.Counts[name])
		return b.save()
	}
	workers, ctx := errgroup.WithContext(ctx)
	for i := range b.Walks[name] {
		part := &b.Walks[name][i]
		if part.Done {
			continue
		}
		workers.Go(func() error {
			for cursor := part.Cursor; ; {
				records, next, err := w.Page(ctx, cursor, f.pageSize)
				if err != nil {
					return err
				}
				r := &result{counts: map[string]int{name: len(records)}}
				if err := visit(ctx, records, r); err != nil {
					return err
				}
				if err := commit(part, r, next); err != nil || next == "" {
					return err
				}
				cursor = next
			}
		})
	}
	return workers.Wait()
}

// maxProjects is the number of projects that stats counts separately.
const maxProjects = 1000

func (b *bulk) add(counts map[string]int) {
	for name, n := range counts {
		if _, counted := b.Counts[name]; !counted && strings.HasPrefix(name, "project ") && len(b.Counts) > maxProjects {
			name = "other projects"
		}
		b.Counts[name] += n
	}
}

func (p *program) stats() *cobra.Command {
	var f bulkFlags
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Count registrations by status, platform and project",
		Long: "Counts all registrations by status, as list shows it, including unreadable and expired ones. Counts those\n" +
			"that are not expired by platform and by project.",
		Args: flagsOnly,
		RunE: p.onStore(func(ctx context.Context, db *database.Database, _ []string) error {
			b, err := startBulk(f.state, "stats "+db.Name)
			if err != nil {
				return err
			}
			err = p.walk(ctx, b, "total", db.Walker, f, func(_ context.Context, records []store.Record, found *result) error {
				for _, r := range records {
					status := statusOf(r, time.Now())
					found.counts["status "+status]++
					if status != statusUnreadable && status != statusExpired {
						found.counts["platform "+string(r.Registration.Platform)]++
						found.counts["project "+cmp.Or(string(r.Registration.ProjectID), "-")]++
					}
				}
				return nil
			})
			if err := b.end(err); err != nil {
				return err
			}
			return p.showCounts(b.Counts)
		}),
	}
	f.add(cmd)
	return cmd
}

func (p *program) showCounts(counts map[string]int) error {
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		rows = append(rows, []string{name, strconv.Itoa(counts[name])})
	}
	return p.show(counts, []string{"WHAT", "COUNT"}, rows)
}
