package dynamotest

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ItemSize is the size of an item by DynamoDB's rules, in bytes: the names and
// the values of its attributes ("DynamoDB item sizes and formats" in its
// developer guide). A number takes about a byte for two digits and one more; it
// is rounded up here, and never below what DynamoDB counts.
func ItemSize(i Item) int {
	size := 0
	for name, value := range i {
		size += len(name)
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberN:
			size += (len(strings.TrimPrefix(v.Value, "-"))+1)/2 + 2
		case *types.AttributeValueMemberBOOL, *types.AttributeValueMemberNULL:
			size++
		default:
			panic(fmt.Sprintf("dynamotest: the size of attribute %s is not known", name))
		}
	}
	return size
}

const (
	bytesPerWriteUnit = 1 << 10
	bytesPerReadUnit  = 4 << 10
)

// units is how many units of that many bytes an item takes. An item that is not
// there takes one, as a small one does.
func units(i Item, bytesPerUnit int) float64 {
	return float64(max(1, (ItemSize(i)+bytesPerUnit-1)/bytesPerUnit))
}

// bill sets what AWS charges for the call, on demand or provisioned ("DynamoDB
// read and write operations" in its developer guide):
//
//   - A write takes a unit for each KiB, whether its condition holds or not.
//   - A strongly consistent read takes a unit for each 4 KiB, an eventually
//     consistent one half of that; a Query, of all that it looks at. Of nothing,
//     it takes as much as of the smallest item.
//   - In a transaction each item takes twice that. What a cancelled transaction
//     takes is not documented; it is assumed to be as much.
//
// Of an item that a call writes but does not show, the size is not known here:
// it is taken for one unit, as [ItemSize] of the greatest registration justifies.
func (c *Call) bill(req request, resp response) error {
	switch c.Operation {
	case "UpdateItem", "DeleteItem":
		c.WriteUnits = max(units(resp.Attributes, bytesPerWriteUnit), units(resp.Item, bytesPerWriteUnit))
	case "PutItem":
		c.WriteUnits = max(units(req.Item, bytesPerWriteUnit), units(resp.Attributes, bytesPerWriteUnit))
	case "GetItem":
		c.ReadUnits = consistency(req) * units(resp.Item, bytesPerReadUnit)
	case "Query", "Scan":
		if resp.ConsumedCapacity == nil {
			return fmt.Errorf("%s does not ask for the capacity that it takes", c.Operation)
		}
		c.ReadUnits = max(consistency(req), resp.ConsumedCapacity.units())
	case "TransactWriteItems":
		for _, t := range req.TransactItems {
			var put Item
			if t.Put != nil {
				put = t.Put.Item
			}
			c.WriteUnits += 2 * units(put, bytesPerWriteUnit)
		}
	case "TransactGetItems":
		for n := range req.TransactItems {
			var got Item
			if n < len(resp.Responses) {
				got = resp.Responses[n].Item
			}
			c.ReadUnits += 2 * units(got, bytesPerReadUnit)
		}
	}
	return nil
}

func consistency(req request) float64 {
	if req.ConsistentRead {
		return 1
	}
	return 0.5
}
