package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/tokens"
)

func (p *program) deactivate() *cobra.Command {
	return &cobra.Command{
		Use:   "deactivate USER DEVICE",
		Short: "Log a device out: it is not notified until it registers again",
		Long: "Marks what is stored for the device as logged out, as the app's own log out does, and shows it. The device\n" +
			"is notified again once the app registers it, which it does at its next launch if its user is logged in.",
		Args: arguments(2, "deactivate takes a user id and a device id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			key := tokens.Key{UserID: tokens.UserID(args[0]), DeviceID: tokens.DeviceID(args[1])}
			if err := key.Validate(); err != nil {
				return err
			}
			s, client, err := p.store(ctx)
			if err != nil {
				return err
			}
			// Not by Get, which finds nothing that is expired by this machine's
			// clock: a wrong clock must not keep a device logged in.
			keys, err := p.keys(ctx, client, key.UserID)
			if err != nil {
				return err
			}
			if !slices.Contains(keys, key) {
				return errors.New("nothing is stored for this device of the user: nothing was changed")
			}
			if err := p.confirm(ctx, fmt.Sprintf("Deactivate device %s of user %s?", printable(args[1]), printable(args[0]))); err != nil {
				return err
			}
			if err := s.Deactivate(ctx, key); err != nil {
				return again(err)
			}
			v, err := p.device(ctx, s, key)
			if err != nil {
				return err
			}
			return p.showViews(v, v)
		},
	}
}

// An erasure is what erase did.
type erasure struct {
	UserID string `json:"userId"`
	Found  int    `json:"found"` // before
	Left   int    `json:"left"`  // afterwards
}

func (p *program) erase() *cobra.Command {
	return &cobra.Command{
		Use:   "erase USER",
		Short: "Erase all that is stored for a user",
		Long: "Erases all that is stored for a user, for good, and then looks whether anything is left: a device that\n" +
			"registered meanwhile. After an error some may be left: run it again.",
		Args: arguments(1, "erase takes one user id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			user := tokens.UserID(args[0])
			invalid := user.Validate()
			if user == "" {
				return invalid
			}
			s, client, err := p.store(ctx)
			if err != nil {
				return err
			}
			found, err := p.keys(ctx, client, user)
			if err != nil {
				return err
			}
			if invalid != nil && len(found) == 0 {
				return invalid
			}
			question := fmt.Sprintf("Erase %s of user %s?", count(len(found), "registration"), printable(args[0]))
			if err := p.confirm(ctx, question); err != nil {
				return err
			}
			erase := s.DeleteUser
			if invalid != nil { // the earlier service stored it
				erase = func(ctx context.Context, user tokens.UserID) error {
					return dynamostore.EraseUser(ctx, client, p.table, user)
				}
			}
			if err := erase(ctx, user); err != nil {
				return again(err)
			}
			left, err := p.keys(ctx, client, user)
			if err != nil {
				return err
			}
			e := erasure{args[0], len(found), len(left)}
			if err := p.show(e, []string{"USER", "FOUND", "LEFT"}, [][]string{{e.UserID, fmt.Sprint(e.Found), fmt.Sprint(e.Left)}}); err != nil {
				return err
			}
			if e.Left > 0 {
				return errors.New("the user registered again meanwhile: run it again once that has ended")
			}
			return nil
		},
	}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
