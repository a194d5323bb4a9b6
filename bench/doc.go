// Package bench measures what dynamostore costs above the AWS SDK alone: a
// refresh and a list of twenty devices, against calls of the SDK written out by
// hand that send the same requests and return the same registrations, and
// against github.com/guregu/dynamo/v2. No network is involved: the answers are
// canned, at the HTTP transport of the SDK's client.
//
// A test holds the allocations to at most 1.05 times those of the calls written
// by hand, and to fewer than guregu's. Times depend on the machine: the command
// in cmd/compare takes turns between the three, and prints medians.
package bench
