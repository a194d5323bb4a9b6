// Package dynamostore keeps registrations of push tokens in a table of Amazon
// DynamoDB. It implements [store.Store], [store.Inspector] and [store.Importer],
// and [Walker] implements [store.Walker]. It uses no secondary index. An ordinary
// app launch is one conditional write. A [Store] needs five IAM actions: PutItem,
// GetItem, UpdateItem, DeleteItem and Query.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil { … }
//	s, err := dynamostore.New(dynamodb.NewFromConfig(cfg), "device-tokens", dynamostore.Options{})
//
// # How a token belongs to at most one registration
//
// A registration is the item with the key (userId, deviceId). The table also has
// one item for each token, the token's claim. The key of a claim is derived from
// the token's hash, and the claim names the registration that holds the token. To
// move a token, Register writes the claim and the registration and removes the
// previous holder in one transaction. The transaction's condition is that the
// claim did not change since it was read.
//
// A live registration that this package wrote holds the claim on its token.
// Therefore a refresh is one conditional UpdateItem on the registration, and does
// not read the claim. A new claim expires up to 30 days later than its registration.
// A refresh extends the registration alone, so about once a month a transaction
// renews the claim.
//
// The attributes are those of an earlier service in TypeScript. [Upgrade] prepares
// its tables.
//
// # Limits
//
//   - Transactions are atomic within one region. Writing one table from several
//     regions (global tables) is not supported.
//   - DynamoDB's TTL may remove an expired item days late. Reads treat expired
//     items as absent before that.
//   - The clocks of servers may differ by minutes. Servers whose clocks differ
//     disagree about a row's expiry by that difference. A clock must not be more
//     than a day behind the clock of AWS, which TTL uses.
//   - Writes keep attributes that this package does not know. Only a removal
//     loses them.
//   - The texts of this package's errors contain no keys or tokens. The errors
//     that they wrap may contain them.
package dynamostore
