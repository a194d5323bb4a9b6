package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/store"
)

func (p *program) holder() *cobra.Command {
	return &cobra.Command{
		Use:   "holder",
		Short: "Show who holds the token on standard input",
		Long: "Shows the registration that holds the token on standard input, active or not. A token on the command line\n" +
			"would stay in the shell's history; at a terminal it asks for it, and does not show what is typed.\n" +
			"A row of the earlier service is not found until the table is upgraded.",
		Args: arguments(0, "holder takes the token from standard input"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, _, err := p.store(cmd.Context())
			if err != nil {
				return err
			}
			token, err := p.token(cmd.Context())
			if err != nil {
				return err
			}
			r, err := s.Holder(cmd.Context(), token.Hash())
			if errors.Is(err, store.ErrNotFound) {
				return errors.New("no live registration holds this token")
			}
			if err != nil {
				return err
			}
			v := p.viewOf(r)
			return p.showViews(v, v)
		},
	}
}
