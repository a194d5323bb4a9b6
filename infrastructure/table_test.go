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

// A table has the settings that Terraform and dynamostore.CreateTable share.
type table struct {
	Hash, Range  string
	Attributes   map[string]string
	Billing      string
	TTLAttribute string
	TTLEnabled   bool
	Indexes      int
}

// A protection has the settings that only Terraform makes.
type protection struct {
	Deletion, PointInTime, Encrypted, Stream bool
}

// The plan's table has the keys, billing and TTL of dynamostore.CreateTable's, and is protected.
func TestTableIsTheLibrarys(t *testing.T) {
	want := madeByLibrary(t)
	eachStage(t, func(t *testing.T, stage string, p plan) {
		type block []struct {
			Name, Type    string
			AttributeName string `json:"attribute_name"`
			Enabled       bool
		}
		var v struct {
			HashKey     string `json:"hash_key"`
			RangeKey    string `json:"range_key"`
			BillingMode string `json:"billing_mode"`
			Attribute   block
			TTL         block
			Global      []any `json:"global_secondary_index"`
			Local       []any `json:"local_secondary_index"`
			Deletion    bool  `json:"deletion_protection_enabled"`
			Stream      bool  `json:"stream_enabled"`
			PointInTime block `json:"point_in_time_recovery"`
			Encryption  block `json:"server_side_encryption"`
		}
		p.decode(t, "module.storage.aws_dynamodb_table.device_tokens", &v)
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

		on := func(b block) bool { return len(b) == 1 && b[0].Enabled }
		wantProtection := protection{Deletion: stage != "dev", PointInTime: true, Encrypted: true}
		if diff := cmp.Diff(wantProtection, protection{v.Deletion, on(v.PointInTime), on(v.Encryption), v.Stream}); diff != "" {
			t.Errorf("protection (-want +plan):\n%s", diff)
		}
	})
}

// The function has the table actions that the store needs, and no more. infrastructure/tests/access.tftest.hcl compares
// the policy with the output.
func TestActionsAreTheLibrarys(t *testing.T) {
	eachStage(t, func(t *testing.T, _ string, p plan) {
		var got []string
		if err := json.Unmarshal(p.Outputs["table_actions"], &got); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		if diff := cmp.Diff(dynamotest.StoreActions, got); diff != "" {
			t.Errorf("actions (-dynamostore +plan):\n%s", diff)
		}
	})
}

// The alarm on system errors adds up the operations that the store calls: AWS publishes that metric by operation.
func TestOperationsAreTheLibrarys(t *testing.T) {
	eachStage(t, func(t *testing.T, _ string, p plan) {
		var v struct {
			Queries []struct {
				Metric []struct{ Dimensions map[string]string }
			} `json:"metric_query"`
		}
		p.decode(t, "module.storage.aws_cloudwatch_metric_alarm.system_errors", &v)
		var got []string
		for _, q := range v.Queries {
			for _, m := range q.Metric {
				got = append(got, m.Dimensions["Operation"])
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(dynamotest.StoreOperations, got); diff != "" {
			t.Errorf("operations (-dynamostore +plan):\n%s", diff)
		}
	})
}

// recorder is a DynamoDB that records how its table is made.
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
