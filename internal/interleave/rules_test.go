package interleave

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A rule is a rule of package dynamostore, with an edit that removes it.
type rule struct {
	name string
	// in names the edited declaration: a function, a method as "type.method", a variable
	// or a constant.
	in string
	// old is in the declaration exactly once. A space stands for any white space.
	old, new string
	seed     uint64 // of the first schedule, 1 if it is 0; a later one saves time
	script   string // a scripted schedule, for a case that random schedules seldom reach
}

const folder = "../../dynamostore"

// without returns the name and the text of the file that has the rule, with the
// rule left out.
func (r rule) without() (file, source string, err error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return "", "", err
	}
	declaration := declaration(r.in)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return "", "", err
		}
		at := declaration.FindIndex(text)
		if at == nil {
			continue
		}
		part, err := r.apply(string(text[at[0]:at[1]]))
		if err != nil {
			return "", "", fmt.Errorf("%s: %s: %w", name, r.in, err)
		}
		return name, string(text[:at[0]]) + part + string(text[at[1]:]), nil
	}
	return "", "", fmt.Errorf("package dynamostore declares no %s: change the rule with the code", r.in)
}

// declaration matches the declaration of a name in a formatted file.
func declaration(name string) *regexp.Regexp {
	if receiver, method, ok := strings.Cut(name, "."); ok {
		return regexp.MustCompile(`(?ms)^func \(\w+ \*?` + receiver + `\) ` + method + `\(.*?^}`)
	}
	return regexp.MustCompile(`(?ms)^func ` + name + `\(.*?^}|^(?:var |\t)` + name + ` += .*?\n\n`)
}

// apply returns the declaration after the edit.
func (r rule) apply(source string) (string, error) {
	words := strings.Fields(r.old)
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	found := regexp.MustCompile(strings.Join(words, `\s+`)).FindAllStringIndex(source, -1)
	if len(found) != 1 {
		return "", fmt.Errorf("it has this %d times, want once: change the rule with the code: %q", len(found), r.old)
	}
	return source[:found[0][0]] + r.new + source[found[0][1]:], nil
}

// TestRulesApply fails if the code of the store has changed and a rule has not.
func TestRulesApply(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			file, source, err := r.without()
			if err != nil {
				t.Fatal(err)
			}
			whole, err := os.ReadFile(file)
			if err != nil || bytes.Equal(whole, []byte(source)) {
				t.Errorf("the edit changes nothing: %v", err)
			}
		})
	}
}

// rules are those of package dynamostore. The edit breaks the rule that the name states.
var rules = []rule{
	// Claims.
	{
		name: "a free claim is taken only while it is free",
		in:   "claim.unchanged",
		old:  `return guard{condition: notExists()}`, new: `return guard{condition: notExists().Or(exists())}`,
	},
	{
		name: "a claim has a version, new at each write",
		in:   "claim.unchanged", script: "RenewedWithinTheSecond",
		old: `return guard{condition: exists()}.and(attributesEqual(c.item, attrVersion))`,
		new: `if c.item[attrExpiresAt] != nil {
				return guard{condition: exists()}.and(attributesEqual(c.item, attrOwnerUserID, attrOwnerDeviceID, attrExpiresAt))
			}
			return guard{condition: exists()}.and(attributesEqual(c.item, attrVersion))`,
	},
	{
		name: "a claim is written to outlive its registration",
		in:   "Store.claimExtra",
		old:  `return min(s.policy.TTL, maxClaimExtra)`, new: `return 0 * min(s.policy.TTL, maxClaimExtra)`,
	},
	{
		name: "a refresh leaves the claim a day longer than the registration",
		in:   "claimMargin", seed: 59,
		old: `24 * time.Hour`, new: `0`,
	},
	{
		name: "a refresh checks how long the claim lives",
		in:   "compileRefresh", seed: 5,
		old: `. And(attribute(attrClaimExpiresAt).GreaterThanEqual(hole(paramClaimMin)))`, new: ``,
	},
	{
		name: "a refresh is not of an expired registration",
		in:   "compileRefresh", seed: 32,
		old: `. And(attribute(attrExpiresAt).GreaterThan(hole(paramNow)))`, new: ``,
	},

	// Identity, not spelling.
	{
		name: "a refresh compares the identity of the token",
		in:   "operation.refresh", seed: 7,
		old: `spellingArgs(req.Token.Spellings())`, new: `spellingArgs(req.Token.Spellings()[:1])`,
	},
	{
		name: "Replaced and Refreshed depend on the identity of the token",
		in:   "transfer.outcome",
		old:  `t.own.holds(t.spelled)`, new: `t.own.holds(t.spelled[:1])`,
	},
	{
		name: "the previous holder is guessed by the identity of the token",
		in:   "holdsOneOf",
		old:  `spellingArgs(spellings)`, new: `spellingArgs(spellings[:1])`,
	},
	{
		name: "the previous holder is removed by the identity of the token",
		in:   "transfer.removesPrevious",
		old:  `t.previous.holds(t.spelled)`, new: `t.previous.holds(t.spelled[:1])`,
	},
	{
		name: "older rows of the user are found by the identity of the token",
		in:   "transfer.makeRoom", seed: 10,
		old: `r.holds(t.spelled)`, new: `r.holds(t.spelled[:1])`,
	},
	{
		name: "Invalidate compares the token",
		in:   "Store.Invalidate", seed: 15,
		old: `r.tokenHash() != h`, new: `false`,
	},
	{
		name: "Invalidate writes only what it observed",
		in:   "invalidateAsObserved", seed: 119,
		old: `attrToken, attrIsActive, attrUpdatedAt`, new: `attrIsActive`,
	},

	// The previous holder.
	{
		name: "the previous holder is removed even if expired",
		in:   "transfer.removesPrevious", seed: 143,
		old: `t.previous.holds(t.spelled)`, new: `t.previous.holds(t.spelled) && t.previous.live(t.now)`,
	},
	{
		name: "the previous holder is removed even if inactive",
		in:   "transfer.removesPrevious",
		old:  `t.previous.holds(t.spelled)`, new: `t.previous.holds(t.spelled) && t.previous.reg.Active()`,
	},
	{
		name: "the previous holder is unknown again when the claim is refused",
		in:   "transfer.takeClaim",
		old:  `t.claimRefused = true t.previous, t.previousKnown = row{}, false`, new: ``,
	},
	{
		name: "MovedFrom names a known holder only if it is active",
		in:   "transfer.removePrevious", script: "Reactivated",
		old: `.and(attributesEqual(t.previous.item, attrIsActive))`, new: ``,
	},
	{
		name: "MovedFrom names a guessed holder only if it is live and active",
		in:   "transfer.removePrevious",
		old:  `.and(liveAndActive(t.now))`, new: ``,
	},
	{
		name: "older rows of the user with the token are removed",
		in:   "transfer.makeRoom",
		old:  `case r.holds(t.spelled):`, new: `case false:`,
	},

	// As observed.
	{
		name: "registeredAt is written from the observation",
		in:   "transfer.writeOwn",
		old:  `Set(attribute(attrRegisteredAt), hole(paramRegisteredAt))`,
		new:  `Set(attribute(attrRegisteredAt), attribute(attrRegisteredAt).IfNotExists(hole(paramRegisteredAt)))`,
	},
	{
		name: "the registration is as observed",
		in:   "transfer.writeOwn",
		old:  `unchanged(t.own)`, new: `guard{condition: exists().Or(notExists())}`,
	},
	{
		name: "as observed means the times too, not the token alone",
		in:   "unchanged", seed: 30,
		old: `, attrRegisteredAt, attrUpdatedAt, attrExpiresAt`, new: ``,
	},
	{
		name: "an evicted row is as observed",
		in:   "transfer.removeDevice", seed: 56,
		old: `unchanged(r)`, new: `guard{condition: exists()}`,
	},
	{
		name: "a conflict on an item reveals nothing about it",
		in:   "operation.transact", seed: 22,
		old: `outcome = contended`, new: `writes[i].refused(r.Item); outcome = contended`,
	},
	{
		name: "all reasons of a refusal are read",
		in:   "operation.transact", script: "TwoReasonsAtOnce",
		old: `writes[i].refused(r.Item)`, new: `writes[i].refused(r.Item); return refused, callErr`,
	},

	// Distinct items.
	{
		name: "the previous holder is not evicted too",
		in:   "transfer.makeRoom",
		old:  `case t.removesPrevious() && r.key() == t.claim.owner:`, new: `case false:`,
	},
	{
		name: "the claim that is taken is not released too",
		in:   "transfer.plan",
		old:  `t.own), t.id)`, new: `t.own))`,
	},

	// Releases.
	{
		name: "a claim is not released twice",
		in:   "claimRelease.writes", script: "OneClaimOfTwoRows",
		old: `named = append(named, id)`, new: ``,
	},
	{
		name: "a claim is not released twice by DeleteUser",
		in:   "claimRelease.writes", script: "ErasedWithTheLaterOne",
		old: `named = append(named, id)`, new: ``,
	},
	{
		name: "a release that is refused is left out",
		in:   "claimRelease.writes", seed: 39,
		old: `|| c.lost[version]`, new: ``,
	},
	{
		name: "a release by Delete that is refused is left out",
		in:   "claimRelease.writes", script: "ErasedAfterTheClaimWasLost",
		old: `|| c.lost[version]`, new: ``,
	},
	{
		name: "a release that is refused is left out for one row only",
		in:   "claimRelease.writes", script: "ErasedWithTheLaterOne",
		old: `r.text(attrClaimVersion)`, new: `string(r.claim())`,
	},
	{
		name: "a release is of the row's own claim only",
		in:   "ownedOrGone", seed: 39,
		old: `notExists().Or(`, new: `notExists().Or(exists(), `,
	},
	{
		name: "the claim on a token that was replaced is released",
		in:   "transfer.plan",
		old:  `append(removed, t.own)`, new: `removed`,
	},
	{
		name: "the claims of evicted rows are released",
		in:   "transfer.plan", seed: 16,
		old: `append(removed, t.own)`, new: `[]row{t.own}`,
	},
	{
		name: "the claims of deleted rows are released",
		in:   "operation.erase", seed: 6,
		old: `release.writes(op, rows)`, new: `release.writes(op, nil)`,
	},

	// The other methods.
	{
		name: "Holder looks again if claim and registration disagree",
		in:   "Store.Holder", seed: 27,
		old: `first, second, err :=`, new: `if op != nil { return tokens.Registration{}, store.ErrNotFound }; first, second, err :=`,
	},
	{
		name: "Deactivate creates nothing",
		in:   "deactivateTemplate",
		old:  `exists().And(notInactive(hole(paramInactive)))`, new: `notInactive(hole(paramInactive))`,
	},
	{
		name: "Invalidate spares a registration that is newer than the message",
		in:   "Store.Invalidate", seed: 101,
		old: `sentAt.Add(-store.ClockSkew)`, new: `sentAt`,
	},
}
