// Package bench compares each part of the library with the obvious alternative:
//
//   - memory: memstore and two maps with a mutex.
//   - dynamo: dynamostore, calls of the AWS SDK written by hand, and
//     guregu/dynamo, with canned answers; on DynamoDB Local, dynamostore and the
//     naive implementation, which puts a row and then updates others.
//   - server: httpapi and a handler that decodes, stores and encodes.
//
// Each package has the alternatives in separate files, tests that they give the same
// results, and benchmarks named OPERATION/impl=NAME with the alternative first, so that
// benchstat -col /impl shows a column for each. `make bench` runs all of them. Tests
// check allocations, round trips and capacity units, but no times.
package bench
