package dynamostore

import (
	"context"
	"slices"

	"github.com/devicetokens/devicetokens/tokens"
)

// Delete implements [store.Store]: one GetItem, and one transaction on the
// registration and its claim. If the SDK repeats the transaction after a lost
// answer, DynamoDB knows it by its idempotency token and does nothing.
func (s *Store) Delete(ctx context.Context, key tokens.Key) error {
	op := s.begin(OpDelete)
	err := op.delete(ctx, key)
	op.end(OK, err)
	return err
}

func (op *operation) delete(ctx context.Context, key tokens.Key) error {
	if err := ready(ctx, key.Validate()); err != nil {
		return err
	}
	i, err := op.getItem(ctx, keyOf(key))
	if err != nil {
		return err
	}
	return op.erase(ctx, []row{newRow(i)})
}

// DeleteUser implements [store.Store]: a Query, and a transaction for up to
// 20 registrations and their claims. Each registration goes in one
// step; after an error, some are left.
func (s *Store) DeleteUser(ctx context.Context, user tokens.UserID) error {
	op := s.begin(OpDeleteUser)
	err := op.deleteUser(ctx, user)
	op.end(OK, err)
	return err
}

// rowsPerErasure keeps the transactions of DeleteUser small: a device that
// registers meanwhile refuses a whole one.
const rowsPerErasure = 20

func (op *operation) deleteUser(ctx context.Context, user tokens.UserID) error {
	if err := ready(ctx, user.Validate()); err != nil {
		return err
	}
	return op.rows(ctx, user, func(page []row) error {
		for group := range slices.Chunk(page, rowsPerErasure) {
			if err := op.erase(ctx, group); err != nil {
				return err
			}
		}
		return nil
	})
}

// erase removes the rows and releases their claims. A row that changed meanwhile
// is removed as it is then.
func (op *operation) erase(ctx context.Context, rows []row) error {
	// By version, not by claim: two of the rows may have had one claim, and only
	// the later one has it now.
	theirs := make(map[string]bool)
	return op.commit(ctx, func() ([]write, error) {
		var writes []write
		named := make(map[claimID]bool)
		for i, r := range rows {
			if !r.exists() {
				continue
			}
			key := r.key()
			writes = append(writes, op.remove(keyOf(key), unchanged(r), func(now item) { rows[i] = newRow(now) }))
			id, version := r.claim(), r.text(attrClaimVersion)
			if id != "" && !named[id] && !theirs[version] {
				named[id] = true
				writes = append(writes, op.release(id, key, func(item) { theirs[version] = true }))
			}
		}
		return writes, nil
	})
}
