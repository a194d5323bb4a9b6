package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// The counts of import and copy, besides store.ImportOutcome.
const (
	countInvalid = "invalid"
	countLines   = "lines"
)

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
		Args: arguments(0, "import reads standard input and takes flags only"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, err := p.open(cmd.Context(), p.db, true)
			if err != nil {
				return err
			}
			b, err := p.startBulk(f.state, "import into "+db.Name)
			if err != nil {
				return err
			}
			return p.endImport(b, p.importLines(cmd.Context(), db.Store, b, f))
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
		Args: arguments(0, "copy takes flags only"),
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
			b, err := p.startBulk(f.state, fmt.Sprintf("copy %s to %s", source.Name, target.Name))
			if err != nil {
				return err
			}
			return p.endImport(b, p.walk(ctx, b, "copy", source.Walker, f, func(ctx context.Context, records []store.Record, found *result) error {
				for _, r := range records {
					outcome, err := importRecord(ctx, target.Store, r)
					if outcome == "" {
						return err
					}
					if found.counts[outcome]++; err != nil {
						fmt.Fprintf(&found.problems, "user %s, device %s: %s\n", visible.ID(string(r.Key.UserID)), visible.ID(string(r.Key.DeviceID)), visible.Text(err.Error()))
					}
				}
				return nil
			}))
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

// endImport shows the counts of an import or a copy, and returns its error.
func (p *program) endImport(b *bulk, err error) error {
	for _, name := range []string{
		string(store.Imported), string(store.ImportedStatus), string(store.ImportKept), string(store.ImportExpired), countInvalid,
	} {
		b.add(map[string]int{name: 0}) // so that zero is shown
	}
	if err := errors.Join(b.end(err), p.showCounts(b.Counts)); err != nil {
		return err
	}
	if b.Counts[countInvalid]+b.Counts[statusUnreadable] > 0 {
		return errIncomplete
	}
	return nil
}

// importRecord imports a record. It returns the name of its count and, if the record
// is invalid or unreadable, the reason. Without a name, the error is the store's.
func importRecord(ctx context.Context, s store.Store, r store.Record) (string, error) {
	if r.Err != nil {
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

// An input counts and hashes the lines of an input.
type input struct {
	lines  *bufio.Reader
	line   int
	digest hash.Hash
}

func (in *input) next() (text []byte, tooLong bool, err error) {
	text, tooLong, err = readLine(in.lines)
	if err != nil {
		return nil, false, err
	}
	in.line++
	in.digest.Write(append(text, '\n'))
	if in.line == 1 {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	return text, tooLong, nil
}

func (in *input) sum() string { return hex.EncodeToString(in.digest.Sum(nil)) }

var errOtherInput = errors.New("--state: the input differs from the input of the interrupted import")

// skip reads the lines that an earlier run imported.
func (in *input) skip(b *bulk) error {
	for in.line < b.Lines {
		if _, _, err := in.next(); errors.Is(err, io.EOF) {
			return errOtherInput
		} else if err != nil {
			return err
		}
	}
	if b.Lines > 0 && in.sum() != b.Digest {
		return errOtherInput
	}
	return nil
}

// importLines imports the lines of the input, one batch at a time. It imports the
// lines of a batch concurrently.
func (p *program) importLines(ctx context.Context, s store.Store, b *bulk, f bulkFlags) error {
	in := &input{lines: p.lines, digest: sha256.New()}
	if err := in.skip(b); err != nil {
		return err
	}
	advance, finish := p.progress("import", -1)
	defer finish()
	for {
		batch, err := in.batch(f.pageSize)
		if err != nil || len(batch) == 0 {
			return err
		}
		workers, workersCtx := errgroup.WithContext(ctx)
		workers.SetLimit(f.segments)
		for i := range batch {
			workers.Go(func() error { return batch[i].run(workersCtx, s) })
		}
		if err := workers.Wait(); err != nil {
			return err
		}
		for _, l := range batch {
			if l.count == "" {
				continue // an empty line
			}
			b.Counts[countLines]++
			b.Counts[l.count]++
			if l.err != nil {
				fmt.Fprintf(p.err, "line %d: %s\n", l.number, visible.Text(l.err.Error()))
			}
		}
		b.Lines, b.Digest = in.line, in.sum()
		advance(in.line)
		if err := b.saveAtTimes(); err != nil {
			return err
		}
	}
}

// An imported is a line of the input and the result of its import.
type imported struct {
	number  int
	text    []byte
	tooLong bool
	count   string
	err     error
}

// batch returns up to n lines, none at the end of the input.
func (in *input) batch(n int) (batch []imported, err error) {
	for len(batch) < n {
		text, tooLong, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		batch = append(batch, imported{number: in.line, text: text, tooLong: tooLong})
	}
	return batch, nil
}

// run imports the line. It returns only errors of the store.
func (l *imported) run(ctx context.Context, s store.Store) error {
	if len(bytes.TrimSpace(l.text)) == 0 {
		return nil
	}
	l.count, l.err = countInvalid, errLineTooLong
	if l.tooLong {
		return nil
	}
	var r tokens.Registration
	if r, l.err = parseLine(l.text); l.err != nil {
		return nil
	}
	if l.count, l.err = importRecord(ctx, s, store.Record{Key: r.Key, Registration: r}); l.count == "" {
		return l.err
	}
	return nil
}
