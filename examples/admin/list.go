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
		Short: "Show all that is stored for a user",
		Long: "Shows all that is stored for a user, by device id: what is active, and also what is not, with the reason:\n" +
			"logout, device_not_registered, inactive (an older service did not say why), expired (stored still, but it\n" +
			"reaches nobody) or unreadable. The exit code is 3 if nothing is stored for the user.",
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

// nothingFor is the answer for a user without registrations: v in JSON, and an
// error.
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
		Short: "Show who holds the token on standard input",
		Long: "Shows the registration that holds the token on standard input, active or not. A token on the command line\n" +
			"would stay in the shell's history; at a terminal it asks for it, and does not show what is typed.\n" +
			"A row of the earlier service is not found until the table is upgraded. The exit code is 3 if no live\n" +
			"registration holds the token.",
		Args: arguments(0, "holder takes the token from standard input"),
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
