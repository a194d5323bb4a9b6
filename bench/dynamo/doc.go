// Package dynamo compares dynamostore with the AWS SDK and with the naive
// implementation.
//
// With canned answers at the HTTP transport of the SDK's client, a refresh and a
// list of twenty devices cost what dynamostore adds to the SDK. The alternatives
// are calls of the SDK written by hand, which send the same requests and return
// the same registrations, and github.com/guregu/dynamo/v2. TestAllocations holds
// dynamostore to 1.05 times the allocations of the calls by hand, and to fewer
// than guregu's.
//
// On DynamoDB Local, [Journeys] are made of dynamostore and of the naive
// implementation. TestCosts asserts their round trips and units.
package dynamo
