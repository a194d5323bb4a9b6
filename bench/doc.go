// Package bench holds the benchmarks against other ways to do the same. Each of
// its packages has the contenders of one part of the library, and tests which hold
// them to the same answers, so that nothing is compared that does less:
//
//   - memory: memstore, two maps with a mutex, and go-memdb.
//   - dynamo: dynamostore, calls of the AWS SDK by hand, and guregu/dynamo, with
//     canned answers; and on DynamoDB Local dynamostore beside the usual way, to
//     put and then to update.
//   - server: httpapi and a handler that decodes, stores and encodes.
//
// `make bench` runs cmd/bench, which measures all of them and writes the results,
// the plots and the tables of docs/benchmarks.md. The contenders take turns, and
// are compared by their ratios within a round. Times are never asserted, since
// they depend on the machine; allocations, round trips and units are, in tests.
package bench
