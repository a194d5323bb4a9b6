package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A view is a registration in the format of the output.
type view struct {
	described
	Token string `json:"token,omitempty"`
}

type keyView struct {
	UserID   tokens.UserID   `json:"userId"`
	DeviceID tokens.DeviceID `json:"deviceId"`
}

// A described is a record in text, without its token.
type described struct {
	keyView
	Status       string `json:"status,omitempty"`
	Platform     string `json:"platform,omitempty"`
	ProjectID    string `json:"projectId,omitempty"`
	RegisteredAt string `json:"registeredAt,omitempty"`
	UpdatedAt    string `json:"updatedAt,omitempty"`
	ExpiresAt    string `json:"expiresAt,omitempty"`
}

// describe returns the record with its times in the layout.
func describe(r store.Record, layout string) described {
	d := described{keyView: keyView(r.Key)}
	if r.Err != nil {
		return d
	}
	text := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(layout)
	}
	reg := r.Registration
	d.Platform, d.ProjectID, d.Status = string(reg.Platform), string(reg.ProjectID), string(reg.Status)
	d.RegisteredAt, d.UpdatedAt, d.ExpiresAt = text(reg.RegisteredAt), text(reg.UpdatedAt), text(reg.ExpiresAt)
	return d
}

// The statuses of records that are not live registrations.
const (
	statusExpired    = "expired"
	statusUnreadable = "unreadable" // cannot be decoded
)

func (p *program) viewOf(r store.Record) view {
	v := view{described: describe(r, time.RFC3339)}
	v.Status = statusOf(r, time.Now())
	switch {
	case r.Err != nil:
	case p.reveal:
		v.Token = r.Registration.Token.Reveal()
	default:
		v.Token = r.Registration.Token.String()
	}
	return v
}

func statusOf(r store.Record, now time.Time) string {
	switch {
	case r.Err != nil:
		return statusUnreadable
	case r.Registration.Expired(now):
		return statusExpired
	}
	return string(r.Registration.Status)
}

// show writes v as JSON, or the rows as a table with headings.
func (p *program) show(v any, headings []string, rows [][]string) error {
	if p.output == "json" {
		text, err := marshal(v, jsontext.WithIndent("  "))
		if err != nil {
			return err
		}
		_, err = p.out.Write(append(text, '\n'))
		return err
	}
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
	for _, row := range append([][]string{headings}, rows...) {
		for i, cell := range row {
			row[i] = visible.ID(cell)
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// showViews writes v, which is the views or their only one, as JSON or as a table.
func (p *program) showViews(v any, views ...view) error {
	var rows [][]string
	for _, v := range views {
		rows = append(rows, []string{string(v.UserID), string(v.DeviceID), v.Status, v.Platform, v.ProjectID, v.RegisteredAt, v.UpdatedAt, v.ExpiresAt, v.Token})
	}
	return p.show(v, []string{"USER", "DEVICE", "STATUS", "PLATFORM", "PROJECT", "REGISTERED", "UPDATED", "EXPIRES", "TOKEN"}, rows)
}

var errNotConfirmed = errors.New("nothing was changed: answer y, or use --yes")

// confirm asks for confirmation, unless --yes is set. Any answer but y or yes means
// no, and so does the end of the input.
func (p *program) confirm(ctx context.Context, question string) error {
	if p.yes {
		return nil
	}
	fmt.Fprintf(p.err, "%s [y/N] ", question)
	answer, err := p.line(ctx)
	if _, typed := terminal(p.in); !typed {
		fmt.Fprintln(p.err)
	}
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return nil
	}
	return errNotConfirmed
}

// line reads a line of the input, and "" at its end. It returns early if ctx ends.
func (p *program) line(ctx context.Context) (string, error) {
	type result struct {
		text string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		text, err := p.lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		read <- result{strings.TrimSpace(text), err}
	}()
	select {
	case r := <-read:
		return r.text, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// token reads a token from the input. A terminal does not show it.
func (p *program) token(ctx context.Context) (tokens.Token, error) {
	read := p.line
	if fd, ok := terminal(p.in); ok {
		fmt.Fprint(p.err, "Token: ")
		read = func(context.Context) (string, error) {
			typed, err := term.ReadPassword(fd)
			fmt.Fprintln(p.err)
			return strings.TrimSpace(string(typed)), err
		}
	}
	text, err := read(ctx)
	if err != nil {
		return tokens.Token{}, err
	}
	return tokens.ParseToken(text)
}

// progress returns functions that show the number of processed rows, in a bar on a
// terminal and otherwise as log lines, and that end the display. total is -1 if unknown.
func (p *program) progress(what string, total int) (advance func(rows int), finish func()) {
	if _, ok := terminal(p.err); ok {
		bar := progressbar.NewOptions(total,
			progressbar.OptionSetWriter(p.err), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish())
		_ = bar.RenderBlank()
		// Rows may have been added since they were counted. The bar stops at its end.
		advance = func(rows int) {
			if total >= 0 {
				rows = min(rows, total)
			}
			_ = bar.Set(rows)
		}
		return advance, func() { _ = bar.Finish() }
	}
	logger := slog.New(slog.NewTextHandler(p.err, nil))
	if total >= 0 {
		logger = logger.With("of", total)
	}
	last := time.Now()
	advance = func(rows int) {
		if time.Since(last) >= cmp.Or(p.logInterval, 10*time.Second) {
			last = time.Now()
			logger.Info(what, "rows", rows)
		}
	}
	return advance, func() {}
}

// terminal returns the file descriptor of f if that is a terminal.
func terminal(f any) (fd int, ok bool) {
	file, ok := f.(*os.File)
	if !ok {
		return 0, false
	}
	return int(file.Fd()), term.IsTerminal(int(file.Fd()))
}
