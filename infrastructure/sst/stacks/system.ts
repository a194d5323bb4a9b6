import { makeAlarms, makeTopic } from "./alarms";
import { makeApi } from "./api";
import { makeDashboard } from "./dashboard";
import { makeFunction } from "./function";
import { makeKey } from "./key";
import { type Names, namesOf, tagEverything } from "./names";
import { type Settings, checked, isProtected } from "./settings";

/** Makes the whole system, and returns the outputs of the deployment. */
export function system(settings: Settings) {
  checked(settings);
  if ($dev) {
    throw new Error("`sst dev` would replace the function and widen its role: use `sst deploy`.");
  }
  tagEverything(settings);

  const names = namesOf(settings);
  const account = {
    id: aws.getCallerIdentityOutput({}).accountId,
    partition: aws.getPartitionOutput({}).partition,
    region: settings.region,
  };
  const key = makeKey(settings, names, account);
  const topicArn = makeTopic(settings, names, account, key);
  const table = makeTable(settings, names, key);
  const fn = makeFunction(settings, names, account, key, table);
  const api = makeApi(settings, names, key, fn);
  const alarmNames = makeAlarms(settings, names, topicArn);
  const dashboard = makeDashboard(settings, names, account, alarmNames);

  return {
    apiUrl: api.url,
    domainTarget: api.target,
    apiStageArn: api.stage.arn,
    deploymentTrigger: api.trigger,
    tableName: table.name,
    tableArn: table.arn,
    tableId: table.nodes.table.id,
    tableStreamArn: settings.stream && table.nodes.table.streamArn,
    tableActions: fn.tableActions,
    kmsKeyArn: key.arn,
    functionName: fn.component.name,
    logGroups: { access: names.accessLogGroup, function: names.functionLogGroup },
    alarmTopicArn: topicArn,
    alarmNames,
    dashboardName: dashboard.dashboardName,
  };
}

/** The table of dynamostore.CreateTable, with the settings for production. */
function makeTable(settings: Settings, names: Names, key: aws.kms.Key) {
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
