package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
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
		Args: flagsOnly,
		PreRunE: func(*cobra.Command, []string) error {
			if f.state != "" && file == "" {
				return &usageError{"--state needs --file, to continue after the last complete line"}
			}
			return nil
		},
		RunE: p.onStore(func(ctx context.Context, db *database.Database, _ []string) error {
			return p.exportTo(ctx, db, f, file, withTokens)
		}),
	}
	f.add(cmd)
	cmd.Flags().StringVar(&file, "file", "", "new `file` to write to, for its owner's eyes only; without it, standard output")
	cmd.Flags().BoolVar(&withTokens, "tokens", false, "write tokens, which are credentials, too: import needs them")
	return cmd
}

func (p *program) exportTo(ctx context.Context, db *database.Database, f bulkFlags, file string, withTokens bool) (err error) {
	b, err := startBulk(f.state, fmt.Sprintf("export %s to %s, tokens %t", db.Name, file, withTokens))
	if err != nil {
		return err
	}
	if file != "" {
		if b.output, err = openExport(file, b); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.output.Close()) }()
	}
	err = p.walk(ctx, b, "export", db.Walker, f, func(_ context.Context, records []store.Record, found *result) error {
		for _, r := range records {
			if err := found.writeJSON(lineOf(r, withTokens)); err != nil {
				return err
			}
			if r.Err != nil {
				found.counts[statusUnreadable]++
			}
		}
		return nil
	})
	if err := b.end(err); err != nil {
		return err
	}
	fmt.Fprintf(p.err, "%s written, %d of them unreadable\n", count(b.Counts["export"], "registration"), b.Counts[statusUnreadable])
	return nil
}

// openExport creates the file, or continues after the last line in the state.
func openExport(file string, b *bulk) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if !b.resumed {
		flags |= os.O_EXCL
	}
	f, err := os.OpenFile(file, flags, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err == nil && info.Size() < b.Bytes:
		err = errors.New("--file: the file is shorter than recorded in --state")
	case err == nil:
		err = f.Truncate(b.Bytes)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

type line struct {
	described
	TokenHash string `json:"tokenHash,omitempty"`
	Token     string `json:"expoPushToken,omitempty"` // with --tokens only
	Error     string `json:"error,omitempty"`         // if the registration cannot be decoded
}

const maxLine = 64 << 10 // bytes

func lineOf(r store.Record, withTokens bool) line {
	l := line{described: describe(r, time.RFC3339Nano)}
	if r.Err != nil {
		l.Error = r.Err.Error()
		return l
	}
	hash, _ := r.Registration.Token.Hash().MarshalText() // its error is always nil
	l.TokenHash = string(hash)
	if withTokens {
		l.Token = r.Registration.Token.Reveal()
	}
	return l
}

// marshal returns v as JSON with hidden characters escaped.
func marshal(v any, options ...json.Options) ([]byte, error) {
	text, err := json.Marshal(v, append(options, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))...)
	return visible.JSON(text), err
}

// The errors of a line. Their texts contain no part of the line.
var (
	errLineForm     = errors.New("the line is not one JSON object with the members of an export, each a string of valid Unicode")
	errLineError    = errors.New("the registration could not be decoded when it was exported")
	errLineNoTokens = errors.New("the line has no expoPushToken: export with --tokens")
	errLineHash     = errors.New("tokenHash is not the hash of expoPushToken")
)

// parseLine parses a line. It is the inverse of lineOf.
func parseLine(text []byte) (tokens.Registration, error) {
	var (
		none tokens.Registration
		l    line
	)
	switch {
	case jsontext.Value(text).Kind() != jsontext.KindBeginObject, json.Unmarshal(text, &l, json.RejectUnknownMembers(true)) != nil:
		return none, errLineForm
	case l.Error != "":
		return none, errLineError
	case l.Token == "":
		return none, errLineNoTokens
	}
	var errs []error
	token, err := tokens.ParseToken(l.Token)
	errs = append(errs, err)
	timeOf := func(field, text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			errs = append(errs, &tokens.InvalidError{Fields: []tokens.FieldError{{Field: field, Code: tokens.CodeMalformed}}})
		}
		return t
	}
	r := tokens.Registration{
		Key: tokens.Key(l.keyView), Token: token,
		Platform: tokens.Platform(l.Platform), ProjectID: tokens.ProjectID(l.ProjectID), Status: tokens.Status(l.Status),
		RegisteredAt: timeOf(tokens.FieldRegisteredAt, l.RegisteredAt), UpdatedAt: timeOf(tokens.FieldUpdatedAt, l.UpdatedAt),
		ExpiresAt: timeOf(tokens.FieldExpiresAt, l.ExpiresAt),
	}
	if err := tokens.JoinInvalid(append(errs, store.ValidateImport(r))...); err != nil {
		return none, err
	}
	if hash, _ := token.Hash().MarshalText(); l.TokenHash != "" && l.TokenHash != string(hash) {
		return none, errLineHash
	}
	return r, nil
}
