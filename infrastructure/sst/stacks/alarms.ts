import type { Account, Names } from "./names";
import type { Settings } from "./settings";

// DynamoDB publishes SystemErrors for each operation and not for the table, so the alarm
// adds up the operations that dynamostore calls.
export const operations = ["GetItem", "Query", "TransactGetItems", "TransactWriteItems", "UpdateItem"];

interface Alarm {
  means: string;
  namespace: string;
  metric: string;
  dimensions: Record<string, string>;
  /** Sum, Maximum, or a percentile such as p99. */
  statistic: string;
  threshold: number;
  /** In seconds; the default is 300. */
  period?: number;
  /** The default is 1. */
  periods?: number;
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

  const alarms = [
    ...Object.entries(serviceAlarms(settings, names)).map((alarm) => [names.all, ...alarm] as const),
    ...Object.entries(tableAlarms(settings, names)).map((alarm) => [names.table, ...alarm] as const),
  ];
  for (const [prefix, name, { means, metric, statistic, period = 300, periods = 1, ...rest }] of alarms) {
    make(prefix, name, {
      ...rest,
      alarmDescription: described(means),
      metricName: metric,
      ...(statistic.startsWith("p") ? { extendedStatistic: statistic } : { statistic }),
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

function serviceAlarms(settings: Settings, names: Names): Record<string, Alarm> {
  const onFunction = { namespace: "AWS/Lambda", dimensions: { FunctionName: names.all } };
  const onApi = { namespace: "AWS/ApiGateway", dimensions: { ApiName: names.all, Stage: settings.stage } };
  return {
    "function-errors": {
      ...onFunction,
      means: "The function crashed or timed out. 5xx responses of the function are not counted.",
      metric: "Errors",
      statistic: "Sum",
      threshold: 0,
    },
    "function-throttles": {
      ...onFunction,
      means: "Lambda throttled the function because its concurrency limit is reached.",
      metric: "Throttles",
      statistic: "Sum",
      threshold: 0,
    },
    "function-duration": {
      ...onFunction,
      means: "A request took more than 80 % of the function's timeout.",
      metric: "Duration",
      statistic: "Maximum",
      threshold: 8000,
    },
    "table-conflicts": {
      means: "Transactions on the device-token table conflict repeatedly.",
      namespace: "AWS/DynamoDB",
      metric: "TransactionConflict",
      dimensions: { TableName: names.table },
      statistic: "Sum",
      threshold: 100,
      periods: 3,
    },
    moved: {
      means: "An unusual number of tokens moved to another user within an hour.",
      namespace: "DeviceTokens",
      metric: "Moved",
      dimensions: { Stage: settings.stage },
      statistic: "Sum",
      threshold: settings.movedLimit,
      period: 3600,
    },
    "api-5xx": { ...onApi, means: "The API returns 5XX responses.", metric: "5XXError", statistic: "Sum", threshold: 5 },
    "api-latency": {
      ...onApi,
      means: "One request in a hundred takes longer than 2 seconds.",
      metric: "Latency",
      statistic: "p99",
      threshold: 2000,
      periods: 3,
    },
  };
}

function tableAlarms(settings: Settings, names: Names): Record<string, Alarm> {
  const onTable = { namespace: "AWS/DynamoDB", dimensions: { TableName: names.table }, statistic: "Sum" };
  const alarms: Record<string, Alarm> = {};
  for (const [kind, metric, limit] of [
    ["read", "Read", settings.readLimit],
    ["write", "Write", settings.writeLimit],
  ] as const) {
    alarms[`${kind}-throttling`] = {
      ...onTable,
      means: `DynamoDB throttles ${kind}s of the device-token table.`,
      metric: `${metric}ThrottleEvents`,
      threshold: 0,
    };
    if (limit === undefined) continue;
    alarms[`${kind}-consumption`] = {
      ...onTable,
      means: `The device-token table consumes more than ${limit} ${kind} units a second.`,
      metric: `Consumed${metric}CapacityUnits`,
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
