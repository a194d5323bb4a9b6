package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"

	"github.com/devicetokens/devicetokens/tokens"
)

var errNotConfirmed = errors.New("nothing was changed: answer y, or give --yes")

// confirm asks whether to go on, unless --yes was given. Whatever is not a yes is
// a no, also the end of the input.
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

// line reads a line of the input, "" at its end. A signal ends the wait.
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

// token reads a token from the input; from a terminal, without showing it.
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
