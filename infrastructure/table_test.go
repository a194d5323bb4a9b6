package infrastructure

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// A table is what Terraform and dynamostore.CreateTable have to agree on.
type table struct {
	Hash, Range  string
	Attributes   map[string]string
	Billing      string
	TTLAttribute string
	TTLEnabled   bool
	Indexes      int
}

// The plan's table has the form of dynamostore.CreateTable's, on which the store's
// tests run.
func TestTableIsTheLibrarys(t *testing.T) {
	want := madeByLibrary(t)
	eachStage(t, func(t *testing.T, _ string, p plan) {
		var v struct {
			HashKey     string `json:"hash_key"`
			RangeKey    string `json:"range_key"`
			BillingMode string `json:"billing_mode"`
			Attribute   []struct{ Name, Type string }
			TTL         []struct {
				AttributeName string `json:"attribute_name"`
				Enabled       bool
			}
			Global []any `json:"global_secondary_index"`
			Local  []any `json:"local_secondary_index"`
		}
		p.only(t, "aws_dynamodb_table").decode(t, &v)
		got := table{
			Hash: v.HashKey, Range: v.RangeKey,
			Attributes: map[string]string{},
			Billing:    v.BillingMode,
			Indexes:    len(v.Global) + len(v.Local),
		}
		for _, a := range v.Attribute {
			got.Attributes[a.Name] = a.Type
		}
		for _, ttl := range v.TTL {
			got.TTLAttribute, got.TTLEnabled = ttl.AttributeName, ttl.Enabled
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("table (-dynamostore +plan):\n%s", diff)
		}
	})
}

// What production adds to the table is there in each stage.
func TestTableIsProtected(t *testing.T) {
	type protection struct {
		Deletion, PointInTime, Encrypted, Stream bool
	}
	want := map[string]protection{
		"dev":   {Deletion: false, PointInTime: true, Encrypted: true},
		"stage": {Deletion: true, PointInTime: true, Encrypted: true},
		"prod":  {Deletion: true, PointInTime: true, Encrypted: true},
	}
	type block []struct{ Enabled bool }
	on := func(b block) bool { return len(b) == 1 && b[0].Enabled }
	eachStage(t, func(t *testing.T, stage string, p plan) {
		var v struct {
			Deletion    bool  `json:"deletion_protection_enabled"`
			Stream      bool  `json:"stream_enabled"`
			PointInTime block `json:"point_in_time_recovery"`
			Encryption  block `json:"server_side_encryption"`
		}
		p.only(t, "aws_dynamodb_table").decode(t, &v)
		got := protection{v.Deletion, on(v.PointInTime), on(v.Encryption), v.Stream}
		if diff := cmp.Diff(want[stage], got); diff != "" {
			t.Errorf("protection (-want +plan):\n%s", diff)
		}
	})
}

// The function may do on the table what the store was seen to do, and no more.
// That the policy has these actions, infrastructure/tests/access.tftest.hcl holds.
func TestActionsAreTheLibrarys(t *testing.T) {
	eachStage(t, func(t *testing.T, _ string, p plan) {
		var got []string
		if err := json.Unmarshal(p.PlannedValues.Outputs["table_actions"].Value, &got); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		if diff := cmp.Diff(dynamotest.StoreActions, got); diff != "" {
			t.Errorf("actions (-dynamostore +plan):\n%s", diff)
		}
	})
}

// The alarm on system errors adds up the operations that the store was seen to
// call: AWS publishes that metric for each operation alone.
func TestOperationsAreTheLibrarys(t *testing.T) {
	eachStage(t, func(t *testing.T, _ string, p plan) {
		var got []string
		for _, r := range p.resources("aws_cloudwatch_metric_alarm") {
			var v struct {
				Queries []struct {
					Metric []struct{ Dimensions map[string]string }
				} `json:"metric_query"`
			}
			r.decode(t, &v)
			for _, q := range v.Queries {
				for _, m := range q.Metric {
					got = append(got, m.Dimensions["Operation"])
				}
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(dynamotest.StoreOperations, got); diff != "" {
			t.Errorf("operations (-dynamostore +plan):\n%s", diff)
		}
	})
}

// recorder is a DynamoDB that notes how its table is made.
type recorder struct {
	created *dynamodb.CreateTableInput
	ttl     *dynamodb.UpdateTimeToLiveInput
}

func (r *recorder) CreateTable(_ context.Context, in *dynamodb.CreateTableInput, _ ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	r.created = in
	return &dynamodb.CreateTableOutput{}, nil
}

func (r *recorder) DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	return &dynamodb.DescribeTableOutput{Table: &types.TableDescription{TableStatus: types.TableStatusActive}}, nil
}

func (r *recorder) UpdateTimeToLive(_ context.Context, in *dynamodb.UpdateTimeToLiveInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error) {
	r.ttl = in
	return &dynamodb.UpdateTimeToLiveOutput{}, nil
}

func madeByLibrary(t *testing.T) table {
	t.Helper()
	var r recorder
	if err := dynamostore.CreateTable(t.Context(), &r, "any"); err != nil {
		t.Fatal(err)
	}
	made := table{
		Attributes:   map[string]string{},
		Billing:      string(r.created.BillingMode),
		TTLAttribute: *r.ttl.TimeToLiveSpecification.AttributeName,
		TTLEnabled:   *r.ttl.TimeToLiveSpecification.Enabled,
		Indexes:      len(r.created.GlobalSecondaryIndexes) + len(r.created.LocalSecondaryIndexes),
	}
	for _, a := range r.created.AttributeDefinitions {
		made.Attributes[*a.AttributeName] = string(a.AttributeType)
	}
	for _, k := range r.created.KeySchema {
		switch k.KeyType {
		case types.KeyTypeHash:
			made.Hash = *k.AttributeName
		case types.KeyTypeRange:
			made.Range = *k.AttributeName
		}
	}
	return made
}
