package dynamostore

import (
	"cmp"
	"context"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Import implements [store.Importer] by two or three GetItems, and one transaction that
// writes the registration and its claim and removes the items that they replace. On a table
// of the earlier service, run [Upgrade] first: Import does not find a holder without a
// claim.
func (s *Store) Import(ctx context.Context, r tokens.Registration) (outcome store.ImportOutcome, err error) {
	op := s.beginWrite(store.OpImport)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(store.ValidateImport(r), ctx.Err()); err != nil {
		return "", err
	}
	i := importing{op: op, reg: r, id: claimOf(r.Token.Hash()), now: op.store.now()}
	if err := op.commit(ctx, func() ([]write, error) { return i.plan(ctx) }); err != nil {
		return "", err
	}
	return i.outcome, nil
}

// An importing is one call of Import. Unlike a transfer it reads all items again before each
// attempt, which is slower and simpler.
type importing struct {
	op      *operation
	reg     tokens.Registration
	id      claimID // of the token
	now     time.Time
	release claimRelease
	outcome store.ImportOutcome // of the last plan
}

func (i *importing) plan(ctx context.Context) ([]write, error) {
	h := i.reg.Token.Hash()
	c, err := i.op.getClaim(ctx, h)
	if err != nil {
		return nil, err
	}
	previous, err := i.op.otherHolder(ctx, c, h, i.reg.Key)
	if err != nil {
		return nil, err
	}
	own, err := i.op.getRow(ctx, i.reg.Key)
	if err != nil {
		return nil, err
	}
	var stored tokens.Registration
	stored, i.outcome = i.op.store.policy.PlanImport(i.reg, i.now, own.decoded(), previous.decoded())
	switch i.outcome {
	case store.ImportedStatus:
		g := unchanged(own).and(attributesEqual(own.item, attrIsActive))
		return []write{i.op.updateWrite(keyOf(own.key()), setInactive(), g, setInactiveArgs(stored.Status), ignore)}, nil
	case store.Imported:
		version := newVersion()
		claimExpiresAt := storable(stored.ExpiresAt.Add(i.op.store.claimExtra()))
		writes := []write{
			i.op.putWrite(i.id.item(stored.Key, version, claimExpiresAt), c.unchanged(), ignore),
			i.op.putWrite(importedItem(stored, version, claimExpiresAt), unchanged(own), ignore),
		}
		if previous.exists() {
			writes = append(writes, i.op.deleteWrite(keyOf(previous.key()), unchanged(previous), ignore))
		}
		return append(writes, i.release.writes(i.op, []row{own}, i.id)...), nil
	}
	return nil, nil
}

func (r row) decoded() *tokens.Registration {
	if !r.exists() || r.err != nil {
		return nil
	}
	return &r.reg
}

func importedItem(r tokens.Registration, claimVersion string, claimExpiresAt time.Time) item {
	i := keyOf(r.Key)
	i[attrToken] = stringValue(r.Token.Reveal())
	i[attrPlatform] = stringValue(string(r.Platform))
	i[attrIsActive] = boolValue(r.Active())
	i[attrExpiresAt] = secondsValue(r.ExpiresAt)
	i[attrClaimVersion] = stringValue(claimVersion)
	i[attrClaimExpiresAt] = secondsValue(claimExpiresAt)
	if r.ProjectID != "" {
		i[attrProjectID] = stringValue(string(r.ProjectID))
	}
	if !r.Active() {
		i[attrInactiveReason] = stringValue(string(r.Status))
	}
	if !r.RegisteredAt.IsZero() {
		i[attrRegisteredAt] = timeValue(r.RegisteredAt)
	}
	if !r.UpdatedAt.IsZero() {
		i[attrUpdatedAt] = timeValue(r.UpdatedAt)
	}
	return i
}
