package bench

import (
	"context"
	"time"

	"github.com/guregu/dynamo/v2"

	"github.com/devicetokens/devicetokens/tokens"
)

// guregu makes the same two calls as its documentation shows: a struct with tags, and
// expressions with placeholders in the text.
type guregu struct {
	table dynamo.Table
}

type gureguRow struct {
	UserID       string    `dynamo:"userId,hash"`
	DeviceID     string    `dynamo:"deviceId,range"`
	Token        string    `dynamo:"expoPushToken"`
	Platform     string    `dynamo:"platform"`
	ProjectID    string    `dynamo:"projectId"`
	IsActive     bool      `dynamo:"isActive"`
	RegisteredAt time.Time `dynamo:"registeredAt"`
	UpdatedAt    time.Time `dynamo:"updatedAt"`
	ExpiresAt    time.Time `dynamo:"expiresAt,unixtime"`
}

func (g guregu) refresh(ctx context.Context) (tokens.Registration, error) {
	req := refreshing
	expiresAt, spelling := now.Add(ttl), req.Token.Reveal()
	other := otherSpelling(spelling)
	var (
		row  gureguRow
		cost dynamo.ConsumedCapacity
	)
	err := g.table.Update("userId", string(req.Key.UserID)).
		Range("deviceId", string(req.Key.DeviceID)).
		Set("expoPushToken", spelling).
		Set("platform", string(req.Platform)).
		Set("updatedAt", now.Format(timeFormat)).
		Set("expiresAt", expiresAt.Unix()).
		Set("isActive", true).
		Set("projectId", string(req.ProjectID)).
		SetIfNotExists("registeredAt", now.Format(timeFormat)).
		Remove("inactiveReason").
		If("'expoPushToken' IN (?, ?, ?)", spelling, other, other).
		If("'expiresAt' > ?", now.Unix()).
		If("'claimExpiresAt' >= ?", expiresAt.Add(24*time.Hour).Unix()).
		ConsumedCapacity(&cost).
		OldValue(ctx, &row)
	if err != nil {
		return tokens.Registration{}, err
	}
	return refreshed(req, row.RegisteredAt), nil
}

func (g guregu) list(ctx context.Context) ([]tokens.Registration, error) {
	var (
		rows []gureguRow
		cost dynamo.ConsumedCapacity
	)
	err := g.table.Get("userId", string(refreshing.Key.UserID)).
		Filter("(attribute_not_exists('isActive') OR 'isActive' <> ?)", false).
		Filter("(attribute_not_exists('expiresAt') OR NOT 'expiresAt' <= ?)", now.Unix()).
		Consistent(true).
		ConsumedCapacity(&cost).
		All(ctx, &rows)
	if err != nil {
		return nil, err
	}
	regs := make([]tokens.Registration, len(rows))
	for i := range rows {
		if regs[i], err = rows[i].registration(); err != nil {
			return nil, err
		}
	}
	return regs, nil
}

func (r *gureguRow) registration() (tokens.Registration, error) {
	token, err := tokens.ParseToken(r.Token)
	if err != nil {
		return tokens.Registration{}, err
	}
	status := tokens.Active
	if !r.IsActive {
		status = tokens.Inactive
	}
	return tokens.Registration{
		Key:          tokens.Key{UserID: tokens.UserID(r.UserID), DeviceID: tokens.DeviceID(r.DeviceID)},
		Token:        token,
		Platform:     tokens.Platform(r.Platform),
		ProjectID:    tokens.ProjectID(r.ProjectID),
		Status:       status,
		RegisteredAt: r.RegisteredAt,
		UpdatedAt:    r.UpdatedAt,
		ExpiresAt:    r.ExpiresAt,
	}, nil
}
