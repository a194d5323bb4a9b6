package dynamostore

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/devicetokens/devicetokens/tokens"
)

// upgradeGrace is how long a row without an expiry lives at least.
const upgradeGrace = 30 * 24 * time.Hour

// An upgradeHolder is the row that keeps a token, as a dry run knows it.
type upgradeHolder struct {
	key       tokens.Key
	updatedAt time.Time
}

// row counts a row of the scan, and mends it unless in a dry run.
func (u *upgrade) row(ctx context.Context, r row) error {
	now := u.op.store.now()
	u.report.Rows++
	switch {
	case r.err != nil:
		u.report.Unreadable = append(u.report.Unreadable, r.key())
		return nil
	case !r.live(now):
		u.report.Expired++
		return nil
	}
	if r.reg.ExpiresAt.IsZero() {
		u.report.WithoutExpiry++
	}
	c, err := u.claimOn(ctx, r)
	if err != nil {
		return err
	}
	if !holdsClaim(r, c) {
		u.report.Unclaimed++
	}
	if u.opts.DryRun {
		u.foresee(r)
		return nil
	}
	m := mending{upgrade: u, now: now, row: r, claim: c}
	if err := u.op.commit(ctx, func() ([]write, error) { return m.plan(ctx) }); err != nil {
		return err
	}
	if !m.duplicate.Removed.IsZero() {
		u.report.Duplicates = append(u.report.Duplicates, m.duplicate)
	}
	return nil
}

func (u *upgrade) claimOn(ctx context.Context, r row) (claim, error) {
	i, err := u.op.getItem(ctx, claimOf(r.reg.Token.Hash()).key())
	return newClaim(i), err
}

// foresee notes a token that a dry run comes upon for the second time.
func (u *upgrade) foresee(r row) {
	hash := r.reg.Token.Hash()
	this := upgradeHolder{key: r.reg.Key, updatedAt: r.reg.UpdatedAt}
	other, ok := u.seen[hash]
	if !ok {
		u.seen[hash] = this
		return
	}
	if this.updatedAt.After(other.updatedAt) {
		this, other = other, this
	}
	u.seen[hash] = other
	u.report.Duplicates = append(u.report.Duplicates, Duplicate{Removed: this.key, Kept: other.key})
}

// holdsClaim reports whether a row has an expiry, and holds the claim c: of the
// version that it says, for as long as it says, which is longer than it lives.
func holdsClaim(r row, c claim) bool {
	if !c.exists() || c.owner != r.reg.Key || c.version() == "" || c.version() != r.text(attrClaimVersion) || r.reg.ExpiresAt.IsZero() {
		return false
	}
	actual, err := seconds(c.item, attrExpiresAt)
	said, err2 := seconds(r.item, attrClaimExpiresAt)
	return err == nil && err2 == nil && !actual.Before(said) && !said.Before(r.reg.ExpiresAt.Add(claimMargin))
}

// A mending is the upgrade of one row under way. Like a taking, it learns from
// refusals; but it reads what it does not know, since it has no hurry.
type mending struct {
	*upgrade
	now       time.Time
	row       row
	claim     claim
	stale     bool // something was refused: read all again
	duplicate Duplicate
}

func (m *mending) plan(ctx context.Context) ([]write, error) {
	m.duplicate = Duplicate{}
	if m.stale {
		if err := m.read(ctx); err != nil {
			return nil, err
		}
	}
	m.stale = true
	if !m.row.live(m.now) || holdsClaim(m.row, m.claim) {
		return nil, nil
	}
	other, err := m.other(ctx)
	if err != nil {
		return nil, err
	}
	var writes []write
	if other.exists() {
		m.duplicate = Duplicate{Removed: other.key(), Kept: m.row.key()}
		if !m.row.reg.UpdatedAt.After(other.reg.UpdatedAt) {
			m.duplicate = Duplicate{Removed: m.row.key(), Kept: other.key()}
			return []write{m.op.deleteWrite(keyOf(m.row.key()), unchanged(m.row), ignore)}, nil
		}
		writes = append(writes, m.op.deleteWrite(keyOf(other.key()), unchanged(other), ignore))
	}
	version, expiresAt := newVersion(), m.expiry()
	claimExpiresAt := expiresAt.Add(m.op.store.claimExtra())
	writes = append(writes,
		m.op.putWrite(claimOf(m.row.reg.Token.Hash()).item(m.row.key(), version, claimExpiresAt), m.claim.unchanged(), ignore),
		m.op.updateWrite(keyOf(m.row.key()), expression.
			Set(attribute(attrExpiresAt), hole(paramExpiresAt)).
			Set(attribute(attrClaimVersion), hole(paramClaimVersion)).
			Set(attribute(attrClaimExpiresAt), hole(paramClaimExpiresAt)),
			unchanged(m.row),
			[]arg{
				{paramExpiresAt, secondsValue(expiresAt)},
				{paramClaimVersion, stringValue(version)},
				{paramClaimExpiresAt, secondsValue(claimExpiresAt)},
			}, ignore))
	return writes, nil
}

// ignore is for refusals of a plan that reads everything again.
func ignore(item) {}

// read looks at the row and then at the claim on its token.
func (m *mending) read(ctx context.Context) error {
	i, err := m.op.getItem(ctx, keyOf(m.row.key()))
	if err != nil {
		return err
	}
	m.row = newRow(i)
	if !m.row.live(m.now) {
		return nil
	}
	m.claim, err = m.claimOn(ctx, m.row)
	return err
}

// other returns the row that the claim names, if that is another one that is
// live and has the token. It is read after the claim, so that it cannot have got
// the token in between without a new version of the claim.
func (m *mending) other(ctx context.Context) (row, error) {
	if !m.claim.exists() || m.claim.owner == m.row.key() || m.claim.owner.Validate() != nil {
		return row{}, nil
	}
	i, err := m.op.getItem(ctx, keyOf(m.claim.owner))
	if err != nil {
		return row{}, err
	}
	r := newRow(i)
	if !r.live(m.now) || !r.holds(spellings(m.row.reg.Token)) {
		return row{}, nil
	}
	return r, nil
}

func (m *mending) expiry() time.Time {
	if !m.row.reg.ExpiresAt.IsZero() {
		return m.row.reg.ExpiresAt
	}
	fromUpdate, grace := m.op.store.policy.Expiry(m.row.reg.UpdatedAt), m.now.Add(upgradeGrace)
	if fromUpdate.After(grace) {
		return fromUpdate
	}
	return grace
}
