import { operations } from "./alarms";
import type { Account, Names } from "./names";
import type { Settings } from "./settings";

// The function writes these in CloudWatch's embedded metric format.
const outcomes = ["Created", "Refreshed", "Moved", "Deactivated", "Erased", "Rejected", "TryAgain"];

/** Makes the dashboard: the state of every alarm, and eight graphs, two in a row. */
export function makeDashboard(settings: Settings, names: Names, account: Account, alarmNames: string[]) {
  const onApi = (metric: string) => ["AWS/ApiGateway", metric, "ApiName", names.all, "Stage", settings.stage];
  const onFunction = (metric: string) => ["AWS/Lambda", metric, "FunctionName", names.all];
  const onTable = (metric: string) => ["AWS/DynamoDB", metric, "TableName", names.table];
  const ours = (metric: string) => ["DeviceTokens", metric, "Stage", settings.stage];

  const graphs = [
    { title: "Traffic", stat: "Sum", metrics: ["Count", "4XXError", "5XXError"].map(onApi) },
    { title: "Outcomes", stat: "Sum", metrics: outcomes.map(ours) },
    {
      title: "Errors, throttles and conflicts",
      stat: "Sum",
      metrics: [
        ...["Errors", "Throttles"].map(onFunction),
        ...["ReadThrottleEvents", "WriteThrottleEvents", "TransactionConflict"].map(onTable),
      ],
    },
    {
      title: "Latency (ms, p99)",
      stat: "p99",
      metrics: [onApi("Latency"), onApi("IntegrationLatency"), onFunction("Duration"), ours("StoreLatency")],
    },
    {
      title: "Table latency by operation (ms)",
      stat: "Average",
      metrics: operations.map((operation) => [...onTable("SuccessfulRequestLatency"), "Operation", operation]),
    },
    { title: "Concurrent executions", stat: "Maximum", metrics: [onFunction("ConcurrentExecutions")] },
    {
      title: "Cost: table units",
      stat: "Sum",
      metrics: ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "TimeToLiveDeletedItemCount"].map(onTable),
    },
    {
      title: "Cost: invocations and log bytes",
      stat: "Sum",
      metrics: [
        onFunction("Invocations"),
        ...[names.accessLogGroup, names.functionLogGroup].map((group) => ["AWS/Logs", "IncomingBytes", "LogGroupName", group]),
      ],
    },
  ];

  const arns = alarmNames.map(
    (name) => $interpolate`arn:${account.partition}:cloudwatch:${account.region}:${account.id}:alarm:${name}`,
  );
  const widgets = [
    { type: "alarm", x: 0, y: 0, width: 24, height: 3, properties: { title: "Alarms", alarms: arns } },
    ...graphs.map(({ title, stat, metrics }, i) => ({
      type: "metric",
      x: 12 * (i % 2),
      y: 3 + 6 * Math.floor(i / 2),
      width: 12,
      height: 6,
      properties: { title, region: account.region, view: "timeSeries", stacked: false, stat, period: 300, metrics },
    })),
  ];
  return new aws.cloudwatch.Dashboard("Dashboard", {
    dashboardName: names.all,
    dashboardBody: $jsonStringify({ widgets }),
  });
}
