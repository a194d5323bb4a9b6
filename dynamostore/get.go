package dynamostore

import (
	"context"

	"github.com/devicetokens/devicetokens/tokens"
)

// Get implements [store.Store]: one strongly consistent GetItem.
func (s *Store) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	op := s.begin(OpGet)
	reg, err := op.get(ctx, key)
	op.end(OK, err)
	return reg, err
}

func (op *operation) get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	if err := ready(ctx, key.Validate()); err != nil {
		return tokens.Registration{}, err
	}
	i, err := op.getItem(ctx, keyOf(key))
	if err != nil {
		return tokens.Registration{}, err
	}
	return newRow(i).read(op.now())
}
