package dynamostore

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Refresh is what nearly every Register is: the app starts, and nothing changed.
// It is one conditional UpdateItem on the registration alone. It needs no look at
// the claim, since a registration that meets the condition holds it.

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
		// The claim's expiry is compared as the registration has it, without a
		// look at the claim: the two are written together.
		WithCondition(hasSpelling().
			And(attribute(attrExpiresAt).GreaterThan(hole(paramNow))).
			And(attribute(attrClaimExpiresAt).GreaterThanEqual(hole(paramClaimMin)))))
}

// setRegistration sets what each Register sets.
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

// registrationArgs returns the values for setRegistration.
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

// refresh makes the one write. It returns what was under the key, also if it was
// refused.
func (op *operation) refresh(ctx context.Context, req tokens.Request, now time.Time) (r row, refused bool, err error) {
	expiresAt := op.policy.Expiry(now)
	spelled := spellingArgs(spellings(req.Token))
	args := append(registrationArgs(req, now, expiresAt),
		spelled[0], spelled[1], spelled[2],
		arg{paramNow, secondsValue(now)},
		arg{paramClaimMin, secondsValue(expiresAt.Add(claimMargin))})
	t := refreshTemplate
	if req.ProjectID != "" {
		t = refreshTemplateOfProject
	}
	answer, refused, err := op.update(ctx, &dynamodb.UpdateItemInput{
		Key:                                 keyOf(req.Key),
		UpdateExpression:                    t.update,
		ConditionExpression:                 t.condition,
		ExpressionAttributeNames:            t.names,
		ExpressionAttributeValues:           t.bind(args...),
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err != nil {
		return row{}, false, err
	}
	return newRow(answer), refused, nil
}

// refreshed is the result of a refresh, given the row that it found. That may have
// been one that cannot be decoded, but for the attributes in the condition. ok is
// false if it still cannot be, as the refresh keeps registeredAt.
func (op *operation) refreshed(req tokens.Request, now time.Time, old row) (res store.Result, ok bool) {
	d := decoder{item: old.item}
	registeredAt := d.time(attrRegisteredAt)
	if d.err != nil {
		return store.Result{}, false
	}
	if registeredAt.IsZero() {
		registeredAt = now
	}
	res = store.Result{Registration: op.registration(req, now, registeredAt), Outcome: store.Refreshed}
	if old.err != nil {
		op.corrupt(req.Key)
		res.Outcome = store.Created
	}
	return res, true
}

// registration is what a Register at now leaves under the key.
func (op *operation) registration(req tokens.Request, now, registeredAt time.Time) tokens.Registration {
	return tokens.Registration{
		Key:          req.Key,
		Token:        req.Token,
		Platform:     req.Platform,
		ProjectID:    req.ProjectID,
		Status:       tokens.Active,
		RegisteredAt: registeredAt,
		UpdatedAt:    now,
		ExpiresAt:    op.policy.Expiry(now),
	}
}
