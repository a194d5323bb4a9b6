// Package dynamostore keeps registrations of push tokens in a table of Amazon
// DynamoDB. It implements [store.Store] with no secondary index, one round trip
// for an app that starts as usual, and the five IAM actions PutItem, GetItem,
// UpdateItem, DeleteItem and Query.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil { … }
//	s, err := dynamostore.New(dynamodb.NewFromConfig(cfg), "device-tokens", dynamostore.Options{})
//
// # How a token stays with one registration
//
// A registration is the item (userId, deviceId). Beside it the table has an item
// for each token, its claim, whose key is made of the token's hash and which says
// which registration holds the token. Whoever takes a token writes its claim,
// under the condition that the claim is as it was found, in one transaction with
// the registration and with the removal of the previous holder.
//
// A live registration that this package wrote holds the claim on its token. So
// a refresh needs to look at the registration alone, and is one conditional
// UpdateItem. A claim is written to outlive its registration by up to 30 days, so
// that it has to be renewed about once a month, in a transaction.
//
// # Rules that bind
//
//   - Transactions are atomic within one region. Writing one table from several
//     regions (global tables) is not supported.
//   - Nothing depends on DynamoDB's TTL having removed an expired item, which may
//     take days; nothing breaks when it has.
//   - The clocks of servers may differ by minutes: what is about to expire is
//     expired to one sooner than to the other, and that is all. None may be more
//     than a day behind AWS's, by which TTL goes.
//   - Attributes that this package does not know survive every write but a
//     removal.
//   - The errors of this package have neither keys nor tokens in their texts.
//     What they wrap may.
package dynamostore
