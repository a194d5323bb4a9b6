// Package bench compares each part of the library with the obvious alternative:
//
//   - memory: memstore and two maps with a mutex.
//   - dynamo: dynamostore, calls of the AWS SDK written by hand, and
//     guregu/dynamo, with canned answers; on DynamoDB Local, dynamostore and the
//     naive implementation, which puts a row and then updates others.
//   - server: httpapi and a handler that decodes, stores and encodes.
//
// Each package has the alternatives in files of their own, tests that they give
// the same answers, and benchmarks named OPERATION/impl=NAME, the alternative
// first, so that benchstat -col /impl shows a column for each. `make bench` runs
// all of them. No test asserts a time; tests assert allocations, round trips and
// units.
package bench
