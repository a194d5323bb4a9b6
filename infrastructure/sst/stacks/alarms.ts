import monitoring from "../../monitoring.json";
import type { Account, Names } from "./names";
import type { Settings } from "./settings";

// DynamoDB publishes SystemErrors for each operation and not for the table, so the alarm
// adds up the operations that dynamostore calls.
export const operations = ["GetItem", "Query", "TransactGetItems", "TransactWriteItems", "UpdateItem"];

/** An alarm of monitoring.json. The default period is 300 seconds, and one period is enough. */
interface Alarm {
  means: string;
  of: string;
  metric: string;
  /** Sum, Maximum, or a percentile such as p99. */
  statistic: string;
  threshold?: number;
  period?: number;
  periods?: number;
}

/** The metrics of each "of" in monitoring.json. */
export function metricsOf(settings: Settings, names: Names): Record<string, { namespace: string; dimensions: Record<string, string>[] }> {
  return {
    api: { namespace: "AWS/ApiGateway", dimensions: [{ ApiName: names.all, Stage: settings.stage }] },
    function: { namespace: "AWS/Lambda", dimensions: [{ FunctionName: names.all }] },
    logs: { namespace: "AWS/Logs", dimensions: [names.accessLogGroup, names.functionLogGroup].map((group) => ({ LogGroupName: group })) },
    operation: { namespace: "AWS/DynamoDB", dimensions: operations.map((operation) => ({ Operation: operation, TableName: names.table })) },
    stage: { namespace: "DeviceTokens", dimensions: [{ Stage: settings.stage }] },
    table: { namespace: "AWS/DynamoDB", dimensions: [{ TableName: names.table }] },
  };
}

/** Makes the alarms of infrastructure/alarms.tf and of the storage module, and returns their names, sorted. */
export function makeAlarms(settings: Settings, names: Names, topicArn: $util.Input<string>): string[] {
  // Missing data is not a breach in any alarm, because AWS publishes almost no data
  // without requests.
  const common = {
    comparisonOperator: "GreaterThanThreshold",
    treatMissingData: "notBreaching",
    alarmActions: [topicArn],
    okActions: [topicArn],
  } satisfies Partial<aws.cloudwatch.MetricAlarmArgs>;
  const described = (means: string) => `${means} Runbook: docs/infra/device-tokens.md.`;
  const made: string[] = [];
  const make = (prefix: string, name: string, alarm: Omit<aws.cloudwatch.MetricAlarmArgs, keyof typeof common>) => {
    made.push(`${prefix}-${name}`);
    new aws.cloudwatch.MetricAlarm(`Alarm${name}`, { ...common, name: `${prefix}-${name}`, ...alarm });
  };

  const scopes = metricsOf(settings, names);
  const alarms = [
    ...Object.entries<Alarm>(monitoring.alarms).map((alarm) => [names.all, ...alarm] as const),
    ...Object.entries(tableAlarms(settings)).map((alarm) => [names.table, ...alarm] as const),
  ];
  for (const [prefix, name, { means, of, metric, statistic, threshold = settings.movedLimit, period = 300, periods = 1 }] of alarms) {
    make(prefix, name, {
      alarmDescription: described(means),
      namespace: scopes[of].namespace,
      metricName: metric,
      dimensions: scopes[of].dimensions[0],
      ...(statistic.startsWith("p") ? { extendedStatistic: statistic } : { statistic }),
      threshold,
      period,
      evaluationPeriods: periods,
      datapointsToAlarm: periods,
    });
  }

  // The SDK retries such a request, so a single failure needs no alarm. An operation without errors has no data point, hence FILL.
  make(names.table, "system-errors", {
    alarmDescription: described("DynamoDB returns HTTP 500 for requests to the device-token table."),
    evaluationPeriods: 1,
    threshold: 5,
    metricQueries: [
      { id: "total", expression: "SUM(FILL(METRICS(), 0))", label: "System errors", returnData: true },
      ...operations.map((operation, i) => ({
        id: `m${i}`,
        returnData: false,
        metric: {
          namespace: "AWS/DynamoDB",
          metricName: "SystemErrors",
          stat: "Sum",
          period: 300,
          dimensions: { TableName: names.table, Operation: operation },
        },
      })),
    ],
  });

  return made.sort();
}

function tableAlarms(settings: Settings): Record<string, Alarm> {
  const alarms: Record<string, Alarm> = {};
  for (const [kind, metric, limit] of [
    ["read", "Read", settings.readLimit],
    ["write", "Write", settings.writeLimit],
  ] as const) {
    alarms[`${kind}-throttling`] = {
      means: `DynamoDB throttles ${kind}s of the device-token table.`,
      of: "table",
      metric: `${metric}ThrottleEvents`,
      statistic: "Sum",
      threshold: 0,
    };
    if (limit === undefined) continue;
    alarms[`${kind}-consumption`] = {
      means: `The device-token table consumes more than ${limit} ${kind} units a second.`,
      of: "table",
      metric: `Consumed${metric}CapacityUnits`,
      statistic: "Sum",
      threshold: limit * 60,
      period: 60,
      periods: 5,
    };
  }
  return alarms;
}

/** Makes the topic that the alarms notify, unless there is an existing one, and returns its ARN. */
export function makeTopic(settings: Settings, names: Names, account: Account, key: aws.kms.Key): $util.Input<string> {
  // The subscribers of an existing topic are managed elsewhere.
  if (settings.alarmTopicArn) return settings.alarmTopicArn;

  const topic = new aws.sns.Topic("Alarms", { name: `${names.all}-alarms`, kmsMasterKeyId: key.arn });

  new aws.sns.TopicPolicy("AlarmsPolicy", {
    arn: topic.arn,
    policy: $jsonStringify({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "AlarmsOfThisAccount",
          Effect: "Allow",
          Principal: { Service: "cloudwatch.amazonaws.com" },
          Action: "sns:Publish",
          Resource: topic.arn,
          Condition: { StringEquals: { "aws:SourceAccount": account.id } },
        },
      ],
    }),
  });

  if (settings.alarmEmail) {
    new aws.sns.TopicSubscription("AlarmsByEmail", { topic: topic.arn, protocol: "email", endpoint: settings.alarmEmail });
  }
  return topic.arn;
}
