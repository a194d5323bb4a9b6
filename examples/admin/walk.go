package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/devicetokens/devicetokens/store"
)

// bulkFlags are those of a command that goes through a whole store.
type bulkFlags struct {
	segments, pageSize int
	state              string
}

// maxPageSize bounds what a run keeps in memory.
const maxPageSize = 1000

func (f *bulkFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&f.segments, "segments", 16, "`parts` to work on side by side")
	flags.IntVar(&f.pageSize, "page-size", 200, "`rows` of each part to read at a time")
	flags.StringVar(&f.state, "state", "", "`file` that keeps how far the run is, to go on after an interruption")
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if f.segments < 1 || f.segments > 256 || f.pageSize < 1 || f.pageSize > maxPageSize {
			return &usageError{"--segments is from 1 to 256, --page-size from 1 to 1000"}
		}
		return check(cmd, args)
	}
}

// A bulk is how far a run through a store is. A cursor and the counts of what came
// before it are saved together, so that a run that goes on counts right.
type bulk struct {
	Command string            `json:"command"` // and the stores: another run has another file
	Walks   map[string][]part `json:"walks,omitempty"`
	Counts  map[string]int    `json:"counts"`
	Lines   int               `json:"lines,omitempty"`  // of the input, that are done
	Digest  string            `json:"digest,omitempty"` // of those lines
	Bytes   int64             `json:"bytes,omitempty"`  // of the output, that are written

	file     string
	resumed  bool
	saved    time.Time
	interval time.Duration
	sync     func() error // before the state is saved, if not nil
	mu       sync.Mutex
}

// A part is a segment of a walk.
type part struct {
	Cursor store.Cursor `json:"cursor"`
	Done   bool         `json:"done,omitempty"`
}

var errOtherRun = errors.New("--state: the file is of another command or other stores, or not of this program")

// startBulk returns how far an earlier run was, if the file of the state is there.
func (p *program) startBulk(file, command string) (*bulk, error) {
	b := &bulk{interval: cmp.Or(p.saveInterval, time.Second), Command: command, Walks: map[string][]part{}, Counts: map[string]int{}, file: file}
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

// save replaces the file of the state in one step.
func (b *bulk) save() error {
	if b.file == "" {
		return nil
	}
	if b.sync != nil {
		if err := b.sync(); err != nil {
			return err
		}
	}
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(b.file), filepath.Base(b.file)+".*") // with mode 0600: a cursor names a user
	if err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	_, err = next.Write(text)
	if err = errors.Join(err, next.Sync(), next.Close()); err == nil {
		err = os.Rename(next.Name(), b.file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("--state: %w", err), os.Remove(next.Name()))
	}
	b.saved = time.Now()
	return nil
}

// end removes the file of the state after a run that went to its end. Otherwise it
// keeps it, and says how to go on.
func (b *bulk) end(err error) error {
	switch {
	case err == nil && b.file != "":
		return os.Remove(b.file)
	case err == nil:
		return nil
	case errors.Is(err, errNotConfirmed):
		return errors.Join(err, b.save())
	case b.file == "":
		return fmt.Errorf("interrupted: run it again, with --state to be able to go on: %w", err)
	}
	return errors.Join(fmt.Errorf("interrupted: run it again with the same --state to go on: %w", err), b.save())
}

// A visit works on a page, beside other visits. It returns what is to be done
// in one step with the advance of the cursor, and by one visit at a time.
type visit func(context.Context, []store.Record) (commit func() error, err error)

// walk calls visit for each page of the store that was not done before.
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
	advance, finish := p.progress(name, -1)
	defer finish()
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
				commit, err := visit(ctx, records)
				if err != nil {
					return err
				}
				b.mu.Lock()
				if err = commit(); err == nil {
					part.Cursor, part.Done = next, next == ""
					b.Counts[name] += len(records)
					advance(b.Counts[name])
					if time.Since(b.saved) >= b.interval {
						err = b.save()
					}
				}
				b.mu.Unlock()
				if err != nil || next == "" {
					return err
				}
				cursor = next
			}
		})
	}
	return workers.Wait()
}

// add adds counts to those of the run.
func (b *bulk) add(counts map[string]int) {
	for name, n := range counts {
		b.Counts[name] += n
	}
}
