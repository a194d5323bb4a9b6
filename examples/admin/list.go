package main

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func (p *program) list() *cobra.Command {
	return &cobra.Command{
		Use:   "list USER",
		Short: "Show all that is stored for a user",
		Long: "Shows all that is stored for a user, by device id: what is active, and also what is not, with the reason:\n" +
			"logout, device_not_registered, inactive (an older service did not say why), expired (stored still, but it\n" +
			"reaches nobody) or unreadable. It costs one read for the user and one for each device.",
		Args: arguments(1, "list takes one user id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			views, err := p.devices(cmd.Context(), tokens.UserID(args[0]))
			if err != nil {
				return err
			}
			return p.showViews(views, views...)
		},
	}
}

// devices returns all that is stored for a user. A store lists only what may be
// sent to, as is right for senders, so this asks the table which devices there
// are, and the store for each of them.
func (p *program) devices(ctx context.Context, user tokens.UserID) ([]view, error) {
	if err := user.Validate(); err != nil {
		return nil, err
	}
	s, client, err := p.store(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := p.keys(ctx, client, user)
	if err != nil {
		return nil, err
	}
	views := []view{} // in JSON, no device is []
	for _, key := range keys {
		v, err := p.device(ctx, s, key)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// device returns what is stored under a key that is there, or was just now.
func (p *program) device(ctx context.Context, s store.Store, key tokens.Key) (view, error) {
	r, err := s.Get(ctx, key)
	var (
		corrupt *store.CorruptError
		invalid *tokens.InvalidError
	)
	v := view{UserID: string(key.UserID), DeviceID: string(key.DeviceID)}
	switch {
	case err == nil:
		return p.viewOf(r), nil
	case errors.Is(err, store.ErrNotFound):
		v.Status = statusExpired
		return v, nil
	case errors.As(err, &corrupt), errors.As(err, &invalid): // an older service's device id may break our rule
		v.Status = statusUnreadable
		return v, nil
	}
	return v, err
}

// keys returns the keys of all that is stored for a user, by device id.
func (p *program) keys(ctx context.Context, client *dynamodb.Client, user tokens.UserID) ([]tokens.Key, error) {
	pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
		TableName:                 &p.table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("userId = :user"),
		ProjectionExpression:      aws.String("deviceId"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":user": &types.AttributeValueMemberS{Value: string(user)}},
	})
	var keys []tokens.Key
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain("Query", err)
		}
		for _, item := range page.Items {
			if id, ok := item["deviceId"].(*types.AttributeValueMemberS); ok {
				keys = append(keys, tokens.Key{UserID: user, DeviceID: tokens.DeviceID(id.Value)})
			}
		}
	}
	return keys, nil
}
