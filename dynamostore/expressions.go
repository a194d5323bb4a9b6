package dynamostore

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A template has the expressions of a request. It is built once and used with different
// values, because building it for every refresh would make a refresh a third slower.
type template struct {
	update, condition, filter, keyCondition *string
	names                                   map[string]string
	placeholders                            []placeholder
}

type placeholder struct {
	name  string // ":0"
	param param
}

// A param is a value that a template leaves open.
type param string

func hole(p param) expression.ValueBuilder { return expression.Value(string(p)) }

// compile builds a template. It panics if an expression is invalid.
func compile(b expression.Builder) template {
	expr, err := b.Build()
	if err != nil {
		panic("dynamostore: " + err.Error())
	}
	t := template{
		update: expr.Update(), condition: expr.Condition(), filter: expr.Filter(), keyCondition: expr.KeyCondition(),
		names: expr.Names(),
	}
	for name, v := range expr.Values() {
		p := v.(*types.AttributeValueMemberS).Value
		t.placeholders = append(t.placeholders, placeholder{name: name, param: param(p)})
	}
	return t
}

// An arg is the value of a param.
type arg struct {
	param param
	value types.AttributeValue
}

// bind returns the values of the expressions. It panics if a param has no value.
func (t template) bind(args ...arg) map[string]types.AttributeValue {
	if len(t.placeholders) == 0 {
		return nil // DynamoDB rejects an empty map
	}
	values := make(map[string]types.AttributeValue, len(t.placeholders))
	for _, h := range t.placeholders {
		i := slices.IndexFunc(args, func(a arg) bool { return a.param == h.param })
		if i < 0 {
			panic("dynamostore: no value for " + string(h.param))
		}
		values[h.name] = args[i].value
	}
	return values
}

func (t template) updateInput(key item, args ...arg) *dynamodb.UpdateItemInput {
	return &dynamodb.UpdateItemInput{
		Key:                       key,
		UpdateExpression:          t.update,
		ConditionExpression:       t.condition,
		ExpressionAttributeNames:  t.names,
		ExpressionAttributeValues: t.bind(args...),
	}
}

func (t template) queryInput(args ...arg) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		KeyConditionExpression:    t.keyCondition,
		FilterExpression:          t.filter,
		ExpressionAttributeNames:  t.names,
		ExpressionAttributeValues: t.bind(args...),
	}
}

// Conditions of several operations. TestExpressions has the text of every expression, as
// DynamoDB logs it.

func attribute(name string) expression.NameBuilder { return expression.Name(name) }

func exists() expression.ConditionBuilder { return attribute(attrUserID).AttributeExists() }

func notExists() expression.ConditionBuilder { return attribute(attrUserID).AttributeNotExists() }

// notInactive requires isActive not to be false. It may be absent, as in rows of the
// earlier service, or of another type, which decoding reports.
func notInactive(no expression.ValueBuilder) expression.ConditionBuilder {
	return attribute(attrIsActive).AttributeNotExists().Or(attribute(attrIsActive).NotEqual(no))
}

var paramSpellings = [3]param{"spelling0", "spelling1", "spelling2"}

func hasSpelling() expression.ConditionBuilder {
	return attribute(attrToken).In(hole(paramSpellings[0]), hole(paramSpellings[1]), hole(paramSpellings[2]))
}

// spellingArgs repeats the last spelling if there are fewer than three.
func spellingArgs(spellings []string) (args [3]arg) {
	for n, p := range paramSpellings {
		args[n] = arg{p, stringValue(spellings[min(n, len(spellings)-1)])}
	}
	return args
}
