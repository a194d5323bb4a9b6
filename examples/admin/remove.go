package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func (p *program) deactivate() *cobra.Command {
	return &cobra.Command{
		Use:   "deactivate USER DEVICE",
		Short: "Log a device out until it registers again",
		Long: "Gives the registration of the device the status logout, like a logout in the app, and shows it. The device\n" +
			"receives messages again when the app registers it, at its next launch if its user is logged in.",
		Args: arguments(2, "deactivate takes a user id and a device id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			key := tokens.Key{UserID: tokens.UserID(args[0]), DeviceID: tokens.DeviceID(args[1])}
			if err := key.Validate(); err != nil {
				return err
			}
			db, err := p.open(ctx, p.db, false)
			if err != nil {
				return err
			}
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
			v := p.recordView(r, time.Now())
			return p.showViews(v, v)
		},
	}
}

// stored returns the record under the key, or errNothing.
func stored(ctx context.Context, s store.Store, key tokens.Key) (store.Record, error) {
	records, err := store.Inspect(ctx, s, key.UserID)
	if err != nil {
		return store.Record{}, err
	}
	i := slices.IndexFunc(records, func(r store.Record) bool { return r.Key == key })
	if i < 0 {
		return store.Record{}, fmt.Errorf("%w for this device of the user", errNothing)
	}
	return records[i], nil
}

// An erasure is the result of erase.
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
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			user, err := p.erasable(ctx, tokens.UserID(args[0]))
			if err != nil {
				return err
			}
			e := erasure{UserID: args[0]}
			if e.Found, err = user.stored(ctx); err != nil {
				return err
			}
			switch {
			case e.Found == 0 && user.invalid != nil:
				return user.invalid
			case e.Found == 0:
				return p.nothingFor(args[0], e)
			}
			question := fmt.Sprintf("Erase %s of user %s?", count(e.Found, "registration"), visible.ID(args[0]))
			if err := p.confirm(ctx, question); err != nil {
				return err
			}
			if err := user.erase(ctx); err != nil {
				return again(err)
			}
			if e.Left, err = user.stored(ctx); err != nil {
				return err
			}
			if err := p.show(e, []string{"USER", "FOUND", "LEFT"}, [][]string{{e.UserID, fmt.Sprint(e.Found), fmt.Sprint(e.Left)}}); err != nil {
				return err
			}
			if e.Left > 0 {
				return errors.New("a device of the user registered again meanwhile: run the command again when the user has logged out")
			}
			return nil
		},
	}
}

// An erasable is a user whose registrations can be counted and erased.
type erasable struct {
	stored  func(context.Context) (int, error)
	erase   func(context.Context) error
	invalid error // if the store rejects the id
}

// erasable accesses the table directly for an id that the store rejects, because the
// earlier service may have written such ids.
func (p *program) erasable(ctx context.Context, user tokens.UserID) (erasable, error) {
	invalid := user.Validate()
	if user == "" {
		return erasable{}, invalid
	}
	db, err := p.open(ctx, p.db, false)
	if err != nil {
		return erasable{}, err
	}
	if invalid == nil {
		return erasable{
			stored: func(ctx context.Context) (int, error) {
				records, err := store.Inspect(ctx, db.Store, user)
				return len(records), err
			},
			erase: func(ctx context.Context) error { return db.Store.DeleteUser(ctx, user) },
		}, nil
	}
	if _, ok := db.Store.(*dynamostore.Store); !ok {
		return erasable{}, invalid
	}
	client, err := p.client(ctx)
	return erasable{
		stored:  func(ctx context.Context) (int, error) { return countRows(ctx, client, p.table, user) },
		erase:   func(ctx context.Context) error { return dynamostore.EraseUser(ctx, client, p.table, user) },
		invalid: invalid,
	}, err
}

// countRows returns the number of rows of a user whose id the store rejects.
func countRows(ctx context.Context, client *dynamodb.Client, table string, user tokens.UserID) (int, error) {
	pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
		TableName:                 &table,
		ConsistentRead:            aws.Bool(true),
		Select:                    types.SelectCount,
		KeyConditionExpression:    aws.String("userId = :user"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":user": &types.AttributeValueMemberS{Value: string(user)}},
	})
	rows := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, explain("Query", err)
		}
		rows += int(page.Count)
	}
	return rows, nil
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
