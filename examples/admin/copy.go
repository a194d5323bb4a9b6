package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// countInvalid is a count of import and copy, besides those of store.ImportOutcome.
const countInvalid = "invalid"

var errIncomplete = errors.New("not everything was imported: invalid and unreadable registrations were skipped")

// importRule is part of the help of both commands.
const importRule = "A registration keeps its status and times. It is not imported if the target has a registration with its key or\n" +
	"token that is at least as new, if it is expired, or if it is invalid; the exit code is then 1 for an invalid one.\n" +
	"The import may exceed the device limit."

func (p *program) importing() *cobra.Command {
	var f bulkFlags
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Import registrations from the lines of export --tokens",
		Long: "Reads the output of 'export --tokens' from standard input.\n" + importRule + "\n" +
			"--page-size counts lines. To continue with --state, give the same input again.",
		Args: flagsOnly,
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, err := p.open(cmd.Context(), p.db, true)
			if err != nil {
				return err
			}
			b, err := startBulk(f.state, "import into "+db.Name)
			if err != nil {
				return err
			}
			return p.endImport(b, p.walk(cmd.Context(), b, "lines", newInput(p.lines), f, p.importInto(db.Store, f.segments)))
		},
	}
	f.add(cmd)
	return cmd
}

func (p *program) copying() *cobra.Command {
	var (
		f        bulkFlags
		from, to string
	)
	cmd := &cobra.Command{
		Use:   "copy",
		Short: "Copy all registrations from one store to another",
		Long: "Copies all registrations. Stop the writes to the source first. The target must not be in service yet.\n" +
			"A second copy does not delete registrations in the target that were deleted in the source meanwhile. After it,\n" +
			"run 'diff --prune'.\n" + importRule,
		Args: flagsOnly,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			source, target, err := p.openTwo(ctx, from, to, true)
			if err != nil {
				return err
			}
			question := fmt.Sprintf("Copy %s to %s? The writes to the first must have stopped, and the second must not serve yet.",
				visible.ID(source.Name), visible.ID(target.Name))
			if err := p.confirm(ctx, question); err != nil {
				return err
			}
			b, err := startBulk(f.state, fmt.Sprintf("copy %s to %s", source.Name, target.Name))
			if err != nil {
				return err
			}
			return p.endImport(b, p.walk(ctx, b, "copy", source.Walker, f, p.importInto(target.Store, 1)))
		},
	}
	f.add(cmd)
	addTwo(cmd, &from, &to)
	return cmd
}

func addTwo(cmd *cobra.Command, from, to *string) {
	cmd.Flags().StringVar(from, "from", "", "`store`, as in --db")
	cmd.Flags().StringVar(to, "to", "", "another `store`")
}

func (p *program) endImport(b *bulk, err error) error {
	for _, outcome := range []store.ImportOutcome{store.Imported, store.ImportedStatus, store.ImportKept, store.ImportExpired, countInvalid} {
		b.Counts[string(outcome)] += 0 // so that zero is shown
	}
	if err := errors.Join(b.end(err), p.showCounts(b.Counts)); err != nil {
		return err
	}
	if b.Counts[countInvalid]+b.Counts[statusUnreadable] > 0 {
		return errIncomplete
	}
	return nil
}

// importInto returns a visit that imports a page, a number of records concurrently.
func (p *program) importInto(target store.Store, concurrency int) visit {
	return func(ctx context.Context, records []store.Record, found *result) error {
		outcomes, problems := make([]string, len(records)), make([]error, len(records))
		workers, ctx := errgroup.WithContext(ctx)
		workers.SetLimit(concurrency)
		for i, r := range records {
			workers.Go(func() error {
				outcomes[i], problems[i] = importRecord(ctx, target, r)
				if outcomes[i] == "" {
					return problems[i]
				}
				return nil
			})
		}
		if err := workers.Wait(); err != nil {
			return err
		}
		for i, r := range records {
			found.counts[outcomes[i]]++
			switch {
			case problems[i] == nil:
			case r.Key == tokens.Key{}: // a line, which the problem names
				fmt.Fprintln(&found.problems, visible.Text(problems[i].Error()))
			default:
				fmt.Fprintf(&found.problems, "user %s, device %s: %s\n", visible.ID(r.Key.UserID), visible.ID(r.Key.DeviceID), visible.Text(problems[i].Error()))
			}
		}
		return nil
	}
}

// importRecord imports a record. It returns the name of its count and, if the record
// is invalid or unreadable, the reason. Without a name, the error is the store's.
func importRecord(ctx context.Context, s store.Store, r store.Record) (string, error) {
	switch {
	case r.Err != nil && r.Key == tokens.Key{}:
		return countInvalid, r.Err
	case r.Err != nil:
		return statusUnreadable, r.Err
	}
	var invalid *tokens.InvalidError
	for delay := 100 * time.Millisecond; ; delay *= 2 {
		outcome, err := store.Import(ctx, s, r.Registration)
		switch {
		case errors.As(err, &invalid):
			return countInvalid, err
		case err == nil, !errors.Is(err, store.ErrTryAgain), delay > maxDelay:
			return string(outcome), err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(delay):
		}
	}
}

// maxDelay is the longest wait between the attempts of an import. All waits together
// are 3 s.
const maxDelay = 1600 * time.Millisecond

// An input walks over the lines of an export. A cursor has the number and the hash of the
// lines before it.
type input struct {
	lines  *bufio.Scanner
	line   int
	digest hash.Hash
}

var errOtherInput = errors.New("--state: the input differs from the input of the interrupted import")

func newInput(r io.Reader) *input {
	in := &input{lines: bufio.NewScanner(r), digest: sha256.New()}
	in.lines.Buffer(nil, maxLine)
	return in
}

func (in *input) Segments(context.Context, int) ([]store.Cursor, error) {
	return []store.Cursor{""}, nil
}

// Page implements [store.Walker]. It skips the lines before the cursor. The record of an
// invalid line has no key, and the number of the line in its error.
func (in *input) Page(_ context.Context, from store.Cursor, limit int) (records []store.Record, next store.Cursor, err error) {
	for in.cursor() != from {
		if !in.next() {
			return nil, "", cmp.Or(in.err(), errOtherInput)
		}
	}
	for range limit {
		if !in.next() {
			return records, "", in.err()
		}
		text := in.lines.Bytes()
		if in.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		r, err := parseLine(text)
		if err != nil {
			records = append(records, store.Record{Err: fmt.Errorf("line %d: %w", in.line, err)})
			continue
		}
		records = append(records, store.Record{Key: r.Key, Registration: r})
	}
	return records, in.cursor(), nil
}

func (in *input) cursor() store.Cursor {
	if in.line == 0 {
		return ""
	}
	return store.Cursor(fmt.Sprintf("%d %x", in.line, in.digest.Sum(nil)))
}

func (in *input) next() bool {
	if !in.lines.Scan() {
		return false
	}
	in.line++
	fmt.Fprintf(in.digest, "%s\n", in.lines.Bytes())
	return true
}

func (in *input) err() error {
	if err := in.lines.Err(); !errors.Is(err, bufio.ErrTooLong) {
		return err
	}
	return fmt.Errorf("line %d is longer than 64 KiB", in.line+1)
}
