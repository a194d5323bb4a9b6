package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/devicetokens/devicetokens/tokens"
)

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
	var (
		text string
		err  error
	)
	if fd, ok := terminal(p.in); ok {
		fmt.Fprint(p.err, "Token: ")
		var typed []byte
		typed, err = term.ReadPassword(fd)
		fmt.Fprintln(p.err)
		text = strings.TrimSpace(string(typed))
	} else {
		text, err = p.line(ctx)
	}
	if err != nil {
		return tokens.Token{}, err
	}
	return tokens.ParseToken(text)
}

// progress returns a function that shows the number of processed rows, and a function
// that ends the display. total is -1 if it is unknown.
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
	interval := p.logInterval
	if interval == 0 {
		interval = 10 * time.Second
	}
	last := time.Now()
	advance = func(rows int) {
		if time.Since(last) < interval {
			return
		}
		last = time.Now()
		if total < 0 {
			logger.Info(what, "rows", rows)
			return
		}
		logger.Info(what, "rows", rows, "of", total)
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
