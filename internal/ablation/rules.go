package ablation

// rules are those of package dynamostore. Each says what is so, and its edits make
// it otherwise.
var rules = []rule{
	// Claims.
	{
		name: "a free claim is taken only while it is free",
		file: "claim.go", seed: 1,
		edits: []edit{{`return guard{condition: notExists()}`, `return guard{condition: notExists().Or(exists())}`}},
	},
	{
		name: "a claim has a version, new at each write",
		file: "claim.go", script: "RenewedWithinTheSecond",
		edits: []edit{{
			`return guard{condition: exists()}.and(as(c.item, attrVersion))`,
			`if c.item[attrExpiresAt] != nil {
				return guard{condition: exists()}.and(as(c.item, attrOwnerUserID, attrOwnerDeviceID, attrExpiresAt))
			}
			return guard{condition: exists()}.and(as(c.item, attrVersion))`,
		}},
	},
	{
		name: "a claim is written to outlive its registration",
		file: "claim.go", seed: 1,
		edits: []edit{{`return min(s.policy.TTL, maxClaimExtra)`, `return 0 * min(s.policy.TTL, maxClaimExtra)`}},
	},
	{
		name: "a refresh leaves the claim a day longer than the registration",
		file: "claim.go", seed: 31,
		edits: []edit{{`claimMargin = 24 * time.Hour`, `claimMargin = 0`}},
	},
	{
		name: "a refresh looks at how long the claim lives",
		file: "refresh.go", seed: 5,
		edits: []edit{{`.
			And(attribute(attrClaimExpiresAt).GreaterThanEqual(hole(paramClaimMin)))`, ``}},
	},
	{
		name: "a refresh is not of an expired registration",
		file: "refresh.go", seed: 32,
		edits: []edit{{`.
			And(attribute(attrExpiresAt).GreaterThan(hole(paramNow)))`, ``}},
	},

	// Identity, not spelling.
	{
		name: "a refresh goes by the identity of the token",
		file: "refresh.go", seed: 7,
		edits: []edit{{`spellingArgs(spellings(req.Token))`, `spellingArgs(spellings(req.Token)[:1])`}},
	},
	{
		name: "Replaced and Refreshed go by the identity of the token",
		file: "register.go", seed: 1,
		edits: []edit{{`case t.own.holds(t.spelled):`, `case t.own.holds(t.spelled[:1]):`}},
	},
	{
		name: "the previous holder is guessed by the identity of the token",
		file: "plan.go", seed: 1,
		edits: []edit{{`args := spellingArgs(spelled)`, `args := spellingArgs(spelled[:1])`}},
	},
	{
		name: "the previous holder is removed by the identity of the token",
		file: "plan.go", seed: 1,
		edits: []edit{{`(!t.previousKnown || t.previous.holds(t.spelled))`, `(!t.previousKnown || t.previous.holds(t.spelled[:1]))`}},
	},
	{
		name: "older rows of the user go by the identity of the token",
		file: "evict.go", seed: 10,
		edits: []edit{{`r.holds(t.spelled)`, `r.holds(t.spelled[:1])`}},
	},
	{
		name: "Invalidate goes by the identity of the token",
		file: "mark.go", seed: 10,
		edits: []edit{{`spellingArgs(spellings(t))`, `spellingArgs(spellings(t)[:1])`}},
	},

	// The previous holder.
	{
		name: "the previous holder is removed even if expired",
		file: "plan.go", seed: 40,
		edits: []edit{{`t.previous.holds(t.spelled))`, `t.previous.holds(t.spelled) && t.previous.live(t.now))`}},
	},
	{
		name: "the previous holder is removed even if inactive",
		file: "plan.go", seed: 1,
		edits: []edit{{`t.previous.holds(t.spelled))`, `t.previous.holds(t.spelled) && t.previous.reg.Active())`}},
	},
	{
		name: "the previous holder is forgotten when the claim is refused",
		file: "plan.go", seed: 1,
		edits: []edit{
			{"\t\tt.previous, t.previousKnown = row{}, false\n", ""},
			{`if !t.claimRefused {`, `if true {`},
		},
	},
	{
		name: "a move is told of an active registration only, once known",
		file: "plan.go", script: "Reactivated",
		edits: []edit{{`.and(as(t.previous.item, attrIsActive))`, ``}},
	},
	{
		name: "a move is told of a live, active registration only, when guessed",
		file: "plan.go", seed: 1,
		edits: []edit{{"\t\tg = heldLiveAndActive(t)", "\t\tg = held(t.spelled)"}},
	},
	{
		name: "older rows of the user with the token are removed",
		file: "evict.go", seed: 1,
		edits: []edit{{`case r.holds(t.spelled):`, `case false:`}},
	},

	// As observed.
	{
		name: "registeredAt is written from the observation",
		file: "plan.go", seed: 1,
		edits: []edit{{
			`Set(attribute(attrRegisteredAt), hole(paramRegisteredAt))`,
			`Set(attribute(attrRegisteredAt), attribute(attrRegisteredAt).IfNotExists(hole(paramRegisteredAt)))`,
		}},
	},
	{
		name: "the registration is as observed",
		file: "plan.go", seed: 1,
		edits: []edit{{`update, unchanged(t.own), args`, `update, guard{condition: exists().Or(notExists())}, args`}},
	},
	{
		name: "as observed means the times too, not the token alone",
		file: "write.go", seed: 30,
		edits: []edit{{`as(r.item, attrToken, attrRegisteredAt, attrUpdatedAt, attrExpiresAt)`, `as(r.item, attrToken)`}},
	},
	{
		name: "an evicted row is as observed",
		file: "plan.go", seed: 56,
		edits: []edit{{`keyOf(key), unchanged(r), func`, `keyOf(key), guard{condition: exists()}, func`}},
	},
	{
		name: "a conflict on an item says nothing about it",
		file: "call.go", seed: 22,
		edits: []edit{{"\t\t\toutcome = contended", "\t\t\twrites[i].refused(r.Item)\n\t\t\toutcome = contended"}},
	},
	{
		name: "all reasons of a refusal are read",
		file: "call.go", script: "TwoReasonsAtOnce",
		edits: []edit{{"\t\t\twrites[i].refused(r.Item)", "\t\t\twrites[i].refused(r.Item)\n\t\t\treturn refused, fault"}},
	},

	// Distinct items.
	{
		name: "the previous holder is not evicted too",
		file: "evict.go", seed: 1,
		edits: []edit{{`case t.removesPrevious() && r.key() == t.claim.owner:`, `case false:`}},
	},
	{
		name: "the claim that is taken is not released too",
		file: "plan.go", seed: 1,
		edits: []edit{{`map[claimID]bool{t.id: true}`, `map[claimID]bool{}`}},
	},

	// Releases.
	{
		name: "a claim is not released twice",
		file: "plan.go", script: "OneClaimOfTwoRows",
		edits: []edit{{`named[id] = true`, `named[id] = false`}},
	},
	{
		name: "a release that is refused is left out",
		file: "plan.go", seed: 10,
		edits: []edit{{` || t.theirs[version]`, ``}},
	},
	{
		name: "a release is of one's own claim only",
		file: "plan.go", seed: 10,
		edits: []edit{{"condition: notExists().Or(expression.And(", "condition: notExists().Or(exists(), expression.And("}},
	},
	{
		name: "the claim on a token that was replaced is released",
		file: "register.go", seed: 1,
		edits: []edit{{`t.releases(append(gone, t.own))`, `t.releases(gone)`}},
	},
	{
		name: "the claims of evicted rows are released",
		file: "register.go", seed: 16,
		edits: []edit{{`t.releases(append(gone, t.own))`, `t.releases([]row{t.own})`}},
	},
	{
		name: "the claims of deleted rows are released",
		file: "erase.go", seed: 6,
		edits: []edit{{`id != "" && !named[id]`, `id == "-" && !named[id]`}},
	},
	{
		name: "a release by Delete that is refused is left out",
		file: "erase.go", script: "ErasedAfterTheClaimWasLost",
		edits: []edit{{` && !theirs[version]`, ``}},
	},

	{
		name: "a refused release by Delete is that of one row only",
		file: "erase.go", script: "ErasedWithTheLaterOne",
		edits: []edit{{`id, version := r.claim(), r.text(attrClaimVersion)`, `id, version := r.claim(), string(r.claim())`}},
	},
	{
		name: "a claim is not released twice by DeleteUser",
		file: "erase.go", script: "ErasedWithTheLaterOne",
		edits: []edit{{`named[id] = true`, `named[id] = false`}},
	},

	// The other methods.
	{
		name: "Holder looks again where claim and registration do not agree",
		file: "holder.go", seed: 27,
		edits: []edit{{"\t\tfirst, second, err :=", "\t\tif op.table != \"\" {\n\t\t\treturn tokens.Registration{}, store.ErrNotFound\n\t\t}\n\t\tfirst, second, err :="}},
	},
	{
		name: "Deactivate creates nothing",
		file: "mark.go", seed: 1,
		edits: []edit{{`exists().And(notInactive(hole(paramInactive)))`, `notInactive(hole(paramInactive))`}},
	},
	{
		name: "Invalidate spares who registered after the message",
		file: "mark.go", seed: 8,
		edits: []edit{{`sentAt.Add(-store.ClockSkew)`, `sentAt`}},
	},
}
