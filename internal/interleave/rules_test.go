package interleave

// rules are those of package dynamostore. The name says what the package does, and
// the edits make it do otherwise.
var rules = []rule{
	// Claims.
	{
		name:  "a free claim is taken only while it is free",
		in:    "claim.unchanged",
		edits: []edit{{`return guard{condition: notExists()}`, `return guard{condition: notExists().Or(exists())}`}},
	},
	{
		name: "a claim has a version, new at each write",
		in:   "claim.unchanged", script: "RenewedWithinTheSecond",
		edits: []edit{{
			`return guard{condition: exists()}.and(attributesEqual(c.item, attrVersion))`,
			`if c.item[attrExpiresAt] != nil {
				return guard{condition: exists()}.and(attributesEqual(c.item, attrOwnerUserID, attrOwnerDeviceID, attrExpiresAt))
			}
			return guard{condition: exists()}.and(attributesEqual(c.item, attrVersion))`,
		}},
	},
	{
		name:  "a claim is written to outlive its registration",
		in:    "Store.claimExtra",
		edits: []edit{{`return min(s.policy.TTL, maxClaimExtra)`, `return 0 * min(s.policy.TTL, maxClaimExtra)`}},
	},
	{
		name: "a refresh leaves the claim a day longer than the registration",
		in:   "claimMargin", seed: 31,
		edits: []edit{{`24 * time.Hour`, `0`}},
	},
	{
		name: "a refresh checks how long the claim lives",
		in:   "compileRefresh", seed: 5,
		edits: []edit{{`.And(attribute(attrClaimExpiresAt).GreaterThanEqual(hole(paramClaimMin)))`, ``}},
	},
	{
		name: "a refresh is not of an expired registration",
		in:   "compileRefresh", seed: 32,
		edits: []edit{{`.And(attribute(attrExpiresAt).GreaterThan(hole(paramNow)))`, ``}},
	},

	// Identity, not spelling.
	{
		name: "a refresh compares the identity of the token",
		in:   "operation.refresh", seed: 7,
		edits: []edit{{`spellingArgs(req.Token.Spellings())`, `spellingArgs(req.Token.Spellings()[:1])`}},
	},
	{
		name:  "Replaced and Refreshed depend on the identity of the token",
		in:    "transfer.outcome",
		edits: []edit{{`t.own.holds(t.spelled)`, `t.own.holds(t.spelled[:1])`}},
	},
	{
		name:  "the previous holder is guessed by the identity of the token",
		in:    "holdsOneOf",
		edits: []edit{{`spellingArgs(spellings)`, `spellingArgs(spellings[:1])`}},
	},
	{
		name:  "the previous holder is removed by the identity of the token",
		in:    "transfer.removesPrevious",
		edits: []edit{{`t.previous.holds(t.spelled)`, `t.previous.holds(t.spelled[:1])`}},
	},
	{
		name: "older rows of the user are found by the identity of the token",
		in:   "transfer.makeRoom", seed: 10,
		edits: []edit{{`r.holds(t.spelled)`, `r.holds(t.spelled[:1])`}},
	},
	{
		name: "Invalidate compares the token",
		in:   "operation.invalidate", seed: 10,
		edits: []edit{{`r.tokenHash() != h`, `false`}},
	},
	{
		name: "Invalidate writes only what it observed",
		in:   "invalidateAsObserved", seed: 10,
		edits: []edit{{`attrToken, attrIsActive, attrUpdatedAt`, `attrIsActive`}},
	},

	// The previous holder.
	{
		name: "the previous holder is removed even if expired",
		in:   "transfer.removesPrevious", seed: 40,
		edits: []edit{{`t.previous.holds(t.spelled)`, `t.previous.holds(t.spelled) && t.previous.live(t.now)`}},
	},
	{
		name:  "the previous holder is removed even if inactive",
		in:    "transfer.removesPrevious",
		edits: []edit{{`t.previous.holds(t.spelled)`, `t.previous.holds(t.spelled) && t.previous.reg.Active()`}},
	},
	{
		name:  "the previous holder is unknown again when the claim is refused",
		in:    "transfer.takeClaim",
		edits: []edit{{`t.claimRefused = true t.previous, t.previousKnown = row{}, false`, ``}},
	},
	{
		name: "MovedFrom names a known holder only if it is active",
		in:   "transfer.removePrevious", script: "Reactivated",
		edits: []edit{{`.and(attributesEqual(t.previous.item, attrIsActive))`, ``}},
	},
	{
		name:  "MovedFrom names a guessed holder only if it is live and active",
		in:    "transfer.removePrevious",
		edits: []edit{{`.and(liveAndActive(t.now))`, ``}},
	},
	{
		name:  "older rows of the user with the token are removed",
		in:    "transfer.makeRoom",
		edits: []edit{{`case r.holds(t.spelled):`, `case false:`}},
	},

	// As observed.
	{
		name: "registeredAt is written from the observation",
		in:   "transfer.writeOwn",
		edits: []edit{{
			`Set(attribute(attrRegisteredAt), hole(paramRegisteredAt))`,
			`Set(attribute(attrRegisteredAt), attribute(attrRegisteredAt).IfNotExists(hole(paramRegisteredAt)))`,
		}},
	},
	{
		name:  "the registration is as observed",
		in:    "transfer.writeOwn",
		edits: []edit{{`unchanged(t.own)`, `guard{condition: exists().Or(notExists())}`}},
	},
	{
		name: "as observed means the times too, not the token alone",
		in:   "unchanged", seed: 30,
		edits: []edit{{`, attrRegisteredAt, attrUpdatedAt, attrExpiresAt`, ``}},
	},
	{
		name: "an evicted row is as observed",
		in:   "transfer.removeDevice", seed: 56,
		edits: []edit{{`unchanged(r)`, `guard{condition: exists()}`}},
	},
	{
		name: "a conflict on an item reveals nothing about it",
		in:   "operation.transact", seed: 22,
		edits: []edit{{`outcome = contended`, `writes[i].refused(r.Item); outcome = contended`}},
	},
	{
		name: "all reasons of a refusal are read",
		in:   "operation.transact", script: "TwoReasonsAtOnce",
		edits: []edit{{`writes[i].refused(r.Item)`, `writes[i].refused(r.Item); return refused, callErr`}},
	},

	// Distinct items.
	{
		name:  "the previous holder is not evicted too",
		in:    "transfer.makeRoom",
		edits: []edit{{`case t.removesPrevious() && r.key() == t.claim.owner:`, `case false:`}},
	},
	{
		name:  "the claim that is taken is not released too",
		in:    "transfer.plan",
		edits: []edit{{`t.own), t.id)`, `t.own))`}},
	},

	// Releases.
	{
		name: "a claim is not released twice",
		in:   "claimRelease.writes", script: "OneClaimOfTwoRows",
		edits: []edit{{`named = append(named, id)`, ``}},
	},
	{
		name: "a claim is not released twice by DeleteUser",
		in:   "claimRelease.writes", script: "ErasedWithTheLaterOne",
		edits: []edit{{`named = append(named, id)`, ``}},
	},
	{
		name: "a release that is refused is left out",
		in:   "claimRelease.writes", seed: 10,
		edits: []edit{{`|| c.lost[version]`, ``}},
	},
	{
		name: "a release by Delete that is refused is left out",
		in:   "claimRelease.writes", script: "ErasedAfterTheClaimWasLost",
		edits: []edit{{`|| c.lost[version]`, ``}},
	},
	{
		name: "a release that is refused is left out for one row only",
		in:   "claimRelease.writes", script: "ErasedWithTheLaterOne",
		edits: []edit{{`r.text(attrClaimVersion)`, `string(r.claim())`}},
	},
	{
		name: "a release is of the row's own claim only",
		in:   "ownedOrGone", seed: 10,
		edits: []edit{{`notExists().Or(`, `notExists().Or(exists(), `}},
	},
	{
		name:  "the claim on a token that was replaced is released",
		in:    "transfer.plan",
		edits: []edit{{`append(removed, t.own)`, `removed`}},
	},
	{
		name: "the claims of evicted rows are released",
		in:   "transfer.plan", seed: 16,
		edits: []edit{{`append(removed, t.own)`, `[]row{t.own}`}},
	},
	{
		name: "the claims of deleted rows are released",
		in:   "operation.erase", seed: 6,
		edits: []edit{{`release.writes(op, rows)`, `release.writes(op, nil)`}},
	},

	// The other methods.
	{
		name: "Holder looks again if claim and registration disagree",
		in:   "operation.holder", seed: 27,
		edits: []edit{{`first, second, err :=`, `if op != nil { return tokens.Registration{}, store.ErrNotFound }; first, second, err :=`}},
	},
	{
		name:  "Deactivate creates nothing",
		in:    "deactivateTemplate",
		edits: []edit{{`exists().And(notInactive(hole(paramInactive)))`, `notInactive(hole(paramInactive))`}},
	},
	{
		name: "Invalidate spares a registration that is newer than the message",
		in:   "operation.invalidate", seed: 8,
		edits: []edit{{`sentAt.Add(-store.ClockSkew)`, `sentAt`}},
	},
}
