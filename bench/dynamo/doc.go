// Package dynamo measures dynamostore.
//
// At the HTTP transport of the SDK's client, with canned answers and no network, a
// refresh and a list of twenty devices show what dynamostore costs above the AWS
// SDK alone: against calls of the SDK written out by hand that send the same
// requests and return the same registrations, and against
// github.com/guregu/dynamo/v2. A test holds the allocations to at most 1.05 times
// those of the calls written by hand, and to fewer than guregu's.
//
// On DynamoDB Local, [Journeys] are made of dynamostore and of the usual way,
// which puts a row and then takes the token from whoever an index finds: round
// trips and units, which a test holds, and time.
package dynamo
