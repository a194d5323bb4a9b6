package dynamostore

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Most calls of Register are refreshes: the app starts and nothing changed. A refresh is one
// conditional UpdateItem. A registration that meets the condition holds its claim.

const (
	paramToken     param = "token"
	paramPlatform  param = "platform"
	paramProjectID param = "projectId"
	paramUpdatedAt param = "updatedAt"
	paramExpiresAt param = "expiresAt"
	paramActive    param = "active"
	paramNow       param = "now"
	paramClaimMin  param = "claimMin"
)

// Without a projectId the attribute is removed, so there are two templates.
var (
	refreshTemplate          = compileRefresh(false)
	refreshTemplateOfProject = compileRefresh(true)
)

func compileRefresh(project bool) template {
	return compile(expression.NewBuilder().
		WithUpdate(setRegistration(project).
			Set(attribute(attrRegisteredAt), attribute(attrRegisteredAt).IfNotExists(hole(paramUpdatedAt)))).
		WithCondition(hasSpelling().
			And(attribute(attrExpiresAt).GreaterThan(hole(paramNow))).
			And(attribute(attrClaimExpiresAt).GreaterThanEqual(hole(paramClaimMin)))))
}

func setRegistration(project bool) expression.UpdateBuilder {
	update := expression.
		Set(attribute(attrToken), hole(paramToken)).
		Set(attribute(attrPlatform), hole(paramPlatform)).
		Set(attribute(attrUpdatedAt), hole(paramUpdatedAt)).
		Set(attribute(attrExpiresAt), hole(paramExpiresAt)).
		Set(attribute(attrIsActive), hole(paramActive)).
		Remove(attribute(attrInactiveReason))
	if project {
		return update.Set(attribute(attrProjectID), hole(paramProjectID))
	}
	return update.Remove(attribute(attrProjectID))
}

func registrationArgs(req tokens.Request, now, expiresAt time.Time) []arg {
	return []arg{
		{paramToken, stringValue(req.Token.Reveal())},
		{paramPlatform, stringValue(string(req.Platform))},
		{paramUpdatedAt, timeValue(now)},
		{paramExpiresAt, secondsValue(expiresAt)},
		{paramActive, boolValue(true)},
		{paramProjectID, stringValue(string(req.ProjectID))},
	}
}

// refresh returns the row as it was before the write, also if the condition did not hold.
func (op *operation) refresh(ctx context.Context, req tokens.Request, now time.Time) (r row, refused bool, err error) {
	expiresAt := op.store.policy.Expiry(now)
	spelled := spellingArgs(req.Token.Spellings())
	args := append(registrationArgs(req, now, expiresAt),
		spelled[0], spelled[1], spelled[2],
		arg{paramNow, secondsValue(now)},
		arg{paramClaimMin, secondsValue(expiresAt.Add(claimMargin))})
	t := refreshTemplate
	if req.ProjectID != "" {
		t = refreshTemplateOfProject
	}
	in := t.updateInput(keyOf(req.Key), args...)
	in.ReturnValues = types.ReturnValueAllOld
	in.ReturnValuesOnConditionCheckFailure = returnStored
	answer, refused, err := op.update(ctx, in)
	if err != nil {
		return row{}, false, err
	}
	return newRow(answer), refused, nil
}

// A refresh keeps registeredAt if the attribute exists, even if it is empty.
func (s *Store) refreshed(req tokens.Request, now time.Time, old row) store.Result {
	registeredAt := old.reg.RegisteredAt
	if old.item[attrRegisteredAt] == nil {
		registeredAt = now
	}
	return store.Result{Registration: s.registration(req, now, registeredAt), Outcome: store.Refreshed}
}
