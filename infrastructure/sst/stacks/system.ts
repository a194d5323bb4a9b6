import { makeAlarms } from "./alarms";
import { makeApi } from "./api";
import { makeDashboard } from "./dashboard";
import { makeFunction } from "./function";
import { makeKey } from "./key";
import { namesOf } from "./names";
import { makeTopic } from "./notifications";
import { type Settings, checked } from "./settings";
import { makeTable } from "./storage";
import { tagEverything } from "./tags";

/** The whole system. What it returns are the outputs of the deployment. */
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
