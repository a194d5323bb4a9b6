package dynamostore

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/devicetokens/devicetokens/tokens"
)

// upgradeVersion is the prefix that distinguishes the claims of Upgrade from those of Register.
const upgradeVersion = "upgrade-"

// A contender is a row that has a token which another row may have, too.
type contender struct {
	key        tokens.Key
	updatedAt  time.Time // no later than now
	registered bool      // Register gave it the claim
}

func newContender(r row, c claim, now time.Time) contender {
	updatedAt := r.reg.UpdatedAt
	if updatedAt.After(now) {
		updatedAt = now
	}
	return contender{
		key: r.key(), updatedAt: updatedAt,
		registered: c.owner == r.key() && !strings.HasPrefix(c.version(), upgradeVersion),
	}
}

// beats does not depend on the order in which Upgrade finds the rows.
func (c contender) beats(other contender) bool {
	switch {
	case !c.updatedAt.Equal(other.updatedAt):
		return c.updatedAt.After(other.updatedAt)
	case c.registered != other.registered:
		return c.registered
	}
	return compareKeys(c.key, other.key) < 0
}

func compareKeys(a, b tokens.Key) int {
	return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID))
}

func (w *segmentWalk) row(ctx context.Context, r row) (UpgradeReport, error) {
	now := w.store.now()
	found := UpgradeReport{Rows: 1}
	switch {
	case r.err != nil:
		found.Unreadable = append(found.Unreadable, r.key())
		return found, nil
	case !r.live(now):
		found.Expired++
		return found, nil
	}
	if r.reg.ExpiresAt.IsZero() {
		found.WithoutExpiry++
	}
	c, err := w.op.getClaim(ctx, r.reg.Token.Hash())
	if err != nil {
		return UpgradeReport{}, err
	}
	if !holdsClaim(r, c) {
		found.Unclaimed++
	}
	if w.opts.DryRun {
		found.Duplicates = w.foresee(r, newContender(r, c, now))
		return found, nil
	}
	m := rowUpgrade{segmentWalk: w, now: now, row: r, claim: c}
	if err := w.op.commit(ctx, func() ([]write, error) { return m.plan(ctx) }); err != nil {
		return UpgradeReport{}, err
	}
	found.Duplicates = m.duplicates
	return found, nil
}

// foresee returns the duplicate if a dry run has found another row with the token.
func (w *segmentWalk) foresee(r row, this contender) []Duplicate {
	w.mu.Lock()
	defer w.mu.Unlock()
	hash := r.reg.Token.Hash()
	other, ok := w.seen[hash]
	if !ok {
		w.seen[hash] = this
		return nil
	}
	if other.beats(this) {
		this, other = other, this
	}
	w.seen[hash] = this
	return []Duplicate{{Removed: other.key, Kept: this.key}}
}

// holdsClaim also requires the claim to have the version and the expiry that the row records,
// and to outlive the row.
func holdsClaim(r row, c claim) bool {
	if !c.exists() || c.owner != r.reg.Key || c.version() == "" || c.version() != r.text(attrClaimVersion) || r.reg.ExpiresAt.IsZero() {
		return false
	}
	actual, err := seconds(c.item, attrExpiresAt)
	recorded, err2 := seconds(r.item, attrClaimExpiresAt)
	return err == nil && err2 == nil && !actual.Before(recorded) && !recorded.Before(storable(r.reg.ExpiresAt.Add(claimMargin)))
}

// A rowUpgrade reads all items again after a failed condition.
type rowUpgrade struct {
	*segmentWalk
	now        time.Time
	row        row
	claim      claim
	stale      bool // a condition failed
	duplicates []Duplicate
}

func (m *rowUpgrade) plan(ctx context.Context) ([]write, error) {
	m.duplicates = nil
	if m.stale {
		if err := m.read(ctx); err != nil {
			return nil, err
		}
	}
	m.stale = true
	if !m.row.live(m.now) || holdsClaim(m.row, m.claim) {
		return nil, nil
	}
	other, err := m.op.otherHolder(ctx, m.claim, m.row.reg.Token.Hash(), m.row.key())
	if err != nil {
		return nil, err
	}
	var writes []write
	if other.live(m.now) {
		if newContender(other, m.claim, m.now).beats(newContender(m.row, m.claim, m.now)) {
			m.duplicates = []Duplicate{{Removed: m.row.key(), Kept: other.key()}}
			return []write{m.op.deleteWrite(keyOf(m.row.key()), unchanged(m.row), ignore)}, nil
		}
		m.duplicates = []Duplicate{{Removed: other.key(), Kept: m.row.key()}}
		writes = append(writes, m.op.deleteWrite(keyOf(other.key()), unchanged(other), ignore))
	}
	version, expiresAt := upgradeVersion+newVersion(), m.row.reg.ExpiresAt
	if expiresAt.IsZero() {
		expiresAt = m.store.policy.ImportExpiry(newContender(m.row, m.claim, m.now).updatedAt, m.now)
	}
	claimExpiresAt := storable(expiresAt.Add(m.store.claimExtra()))
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

// ignore is the refused function of a plan that reads all items again.
func ignore(item) {}

func (m *rowUpgrade) read(ctx context.Context) error {
	var err error
	if m.row, err = m.op.getRow(ctx, m.row.key()); err != nil || !m.row.live(m.now) {
		return err
	}
	m.claim, err = m.op.getClaim(ctx, m.row.reg.Token.Hash())
	return err
}
