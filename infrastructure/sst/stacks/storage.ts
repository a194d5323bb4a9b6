import type { Names } from "./names";
import { type Settings, isProtected } from "./settings";

/**
 * The table of registrations and claims: what dynamostore.CreateTable makes for local
 * work, with what production adds.
 */
export function makeTable(settings: Settings, names: Names, key: aws.kms.Key) {
  return new sst.aws.Dynamo(
    "Table",
    {
      fields: { userId: "string", deviceId: "string" },
      primaryIndex: { hashKey: "userId", rangeKey: "deviceId" },
      ttl: "expiresAt",
      stream: settings.stream,
      deletionProtection: isProtected(settings.stage),
      transform: {
        table: {
          name: names.table,
          tableClass: "STANDARD",
          // This is SST's default, which may change.
          pointInTimeRecovery: { enabled: true },
          serverSideEncryption: { enabled: true, kmsKeyArn: key.arn },
        },
      },
    },
    { protect: isProtected(settings.stage) },
  );
}
