package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func (p *program) list() *cobra.Command {
	return &cobra.Command{
		Use:   "list USER",
		Short: "Show all registrations of a user",
		Long: "Shows all registrations of a user, ordered by device id. The status is active, logout,\n" +
			"device_not_registered, inactive (set by an older service), expired (still stored, but no message is sent)\n" +
			"or unreadable. The exit code is 3 if nothing is stored for the user.",
		Args: arguments(1, "list takes one user id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			db, err := p.open(cmd.Context(), p.db, false)
			if err != nil {
				return err
			}
			records, err := store.Inspect(cmd.Context(), db.Store, tokens.UserID(args[0]))
			if err != nil {
				return err
			}
			if len(records) == 0 {
				return p.nothingFor(args[0], []view{})
			}
			var views []view
			for _, r := range records {
				views = append(views, p.recordView(r, time.Now()))
			}
			return p.showViews(views, views...)
		},
	}
}

// nothingFor returns the error for a user without registrations. With -o json it also
// writes v.
func (p *program) nothingFor(user string, v any) error {
	if p.output == "json" {
		if err := p.show(v, nil, nil); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w for user %s", errNothing, visible.ID(user))
}

func (p *program) holder() *cobra.Command {
	return &cobra.Command{
		Use:   "holder",
		Short: "Show the registration of the token on standard input",
		Long: "Reads a token from standard input and shows the registration that holds it, active or not. A terminal\n" +
			"does not show the input. The token is not an argument, because the shell's history would keep it. A row of\n" +
			"the earlier service is not found until the table is upgraded. The exit code is 3 if no live registration\n" +
			"holds the token.",
		Args: arguments(0, "holder reads the token from standard input"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, err := p.open(cmd.Context(), p.db, false)
			if err != nil {
				return err
			}
			token, err := p.token(cmd.Context())
			if err != nil {
				return err
			}
			r, err := db.Store.Holder(cmd.Context(), token.Hash())
			if errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("%w: no live registration holds this token", errNothing)
			}
			if err != nil {
				return err
			}
			v := p.viewOf(r)
			return p.showViews(v, v)
		},
	}
}
