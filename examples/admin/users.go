package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/examples/internal/database"
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
		RunE: p.onStore(func(ctx context.Context, db *database.Database, args []string) error {
			records, err := store.Inspect(ctx, db.Store, tokens.UserID(args[0]))
			if err != nil {
				return err
			}
			if len(records) == 0 {
				return p.nothingFor(args[0], []view{})
			}
			var views []view
			for _, r := range records {
				views = append(views, p.viewOf(r))
			}
			return p.showViews(views, views...)
		}),
	}
}

// nothingFor returns the error for a user without registrations. With -o json it also
// writes v.
func (p *program) nothingFor(user string, v any) (err error) {
	if p.output == "json" {
		err = p.show(v, nil, nil)
	}
	return errors.Join(err, fmt.Errorf("%w for user %s", errNothing, visible.ID(user)))
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
		RunE: p.onStore(func(ctx context.Context, db *database.Database, _ []string) error {
			token, err := p.token(ctx)
			if err != nil {
				return err
			}
			r, err := db.Store.Holder(ctx, token.Hash())
			if errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("%w: no live registration holds this token", errNothing)
			}
			if err != nil {
				return err
			}
			v := p.viewOf(store.Record{Key: r.Key, Registration: r})
			return p.showViews(v, v)
		}),
	}
}

func (p *program) deactivate() *cobra.Command {
	return &cobra.Command{
		Use:   "deactivate USER DEVICE",
		Short: "Log a device out until it registers again",
		Long: "Gives the registration of the device the status logout, like a logout in the app, and shows it. The device\n" +
			"receives messages again when the app registers it, at its next launch if its user is logged in.",
		Args: arguments(2, "deactivate takes a user id and a device id"),
		RunE: p.onStore(func(ctx context.Context, db *database.Database, args []string) error {
			key := tokens.Key{UserID: tokens.UserID(args[0]), DeviceID: tokens.DeviceID(args[1])}
			// Get would not find a registration that is expired by this machine's clock.
			// A wrong clock must not keep a device logged in.
			if _, err := stored(ctx, db.Store, key); err != nil {
				return err
			}
			if err := p.confirm(ctx, fmt.Sprintf("Deactivate device %s of user %s?", visible.ID(args[1]), visible.ID(args[0]))); err != nil {
				return err
			}
			if err := db.Store.Deactivate(ctx, key); err != nil {
				return again(err)
			}
			r, err := stored(ctx, db.Store, key)
			if err != nil {
				return err
			}
			v := p.viewOf(*r)
			return p.showViews(v, v)
		}),
	}
}

// stored returns the record under the key, or errNothing.
func stored(ctx context.Context, s store.Store, key tokens.Key) (*store.Record, error) {
	if err := key.Validate(); err != nil {
		return nil, err
	}
	other := lookup{s: s}
	r, err := other.get(ctx, key)
	if err == nil && r == nil {
		err = fmt.Errorf("%w for this device of the user", errNothing)
	}
	return r, err
}

type erasure struct {
	UserID string `json:"userId"`
	Found  int    `json:"found"` // before
	Left   int    `json:"left"`  // afterwards
}

func (p *program) erase() *cobra.Command {
	return &cobra.Command{
		Use:   "erase USER",
		Short: "Erase all registrations of a user",
		Long: "Erases all registrations of a user permanently. It then checks whether a device registered again meanwhile.\n" +
			"After an error some registrations may be left: run it again. The exit code is 3 if nothing is stored for\n" +
			"the user.",
		Args: arguments(1, "erase takes one user id"),
		RunE: p.onStore(func(ctx context.Context, db *database.Database, args []string) error {
			user := tokens.UserID(args[0])
			found, erase, err := p.erasable(ctx, db, user)
			if err != nil {
				return err
			}
			e := erasure{UserID: args[0]}
			if e.Found, err = found(); err != nil {
				return err
			}
			if e.Found == 0 {
				if err := user.Validate(); err != nil {
					return err
				}
				return p.nothingFor(args[0], e)
			}
			if err := p.confirm(ctx, fmt.Sprintf("Erase %s of user %s?", count(e.Found, "registration"), visible.ID(args[0]))); err != nil {
				return err
			}
			if err := erase(); err != nil {
				return again(err)
			}
			if e.Left, err = found(); err != nil {
				return err
			}
			err = p.show(e, []string{"USER", "FOUND", "LEFT"}, [][]string{{e.UserID, fmt.Sprint(e.Found), fmt.Sprint(e.Left)}})
			if err == nil && e.Left > 0 {
				err = errors.New("a device of the user registered again meanwhile: run the command again when the user has logged out")
			}
			return err
		}),
	}
}

// erasable returns functions that count and erase the registrations of a user. For an id
// that the store rejects they access the table directly, because the earlier service may
// have written such ids.
func (p *program) erasable(ctx context.Context, db *database.Database, user tokens.UserID) (found func() (int, error), erase func() error, err error) {
	invalid := user.Validate()
	if invalid == nil {
		found = func() (int, error) {
			records, err := store.Inspect(ctx, db.Store, user)
			return len(records), err
		}
		return found, func() error { return db.Store.DeleteUser(ctx, user) }, nil
	}
	if _, ok := db.Store.(*dynamostore.Store); !ok || user == "" {
		return nil, nil, invalid
	}
	client, err := p.client(ctx)
	found = func() (int, error) {
		out, err := client.Query(ctx, &dynamodb.QueryInput{ // one page, which is thousands of devices
			TableName: &p.table, ConsistentRead: aws.Bool(true), Select: types.SelectCount,
			KeyConditionExpression:    aws.String("userId = :user"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":user": &types.AttributeValueMemberS{Value: string(user)}},
		})
		if err != nil {
			return 0, err
		}
		return int(out.Count), nil
	}
	return found, func() error { return dynamostore.EraseUser(ctx, client, p.table, user) }, err
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
