import actions from "../../key-actions.json";
import { type Account, type Names, logGroupArn } from "./names";
import { type Settings, isProtected } from "./settings";

/** Makes one key for the table, the logs and the alarm topic. infrastructure/kms.tf explains its policy. */
export function makeKey(settings: Settings, names: Names, account: Account) {
  const root = $interpolate`arn:${account.partition}:iam::${account.id}:root`;
  // An existing topic has its own key.
  const alarmsToTopic = {
    Sid: "AlarmsToTopic",
    Effect: "Allow",
    Principal: { Service: "cloudwatch.amazonaws.com" },
    Action: ["kms:Decrypt", "kms:GenerateDataKey"],
    Resource: "*",
    Condition: { StringEquals: { "aws:SourceAccount": account.id } },
  };
  const policy = $jsonStringify({
    Version: "2012-10-17",
    Statement: [
      { Sid: "Administration", Effect: "Allow", Principal: { AWS: root }, Action: actions.administration, Resource: "*" },
      {
        Sid: "TableThroughDynamoDB",
        Effect: "Allow",
        Principal: { AWS: root },
        Action: ["kms:CreateGrant", ...actions.use],
        Resource: "*",
        Condition: {
          StringEquals: {
            "kms:CallerAccount": account.id,
            "kms:ViaService": `dynamodb.${account.region}.amazonaws.com`,
          },
        },
      },
      {
        Sid: "LogGroups",
        Effect: "Allow",
        Principal: { Service: `logs.${account.region}.amazonaws.com` },
        Action: actions.use,
        Resource: "*",
        Condition: {
          ArnEquals: {
            "kms:EncryptionContext:aws:logs:arn": [
              logGroupArn(account, names.accessLogGroup),
              logGroupArn(account, names.functionLogGroup),
            ],
          },
        },
      },
      ...(settings.alarmTopicArn ? [] : [alarmsToTopic]),
    ],
  });

  // Without the key, a table that stays after the stack is removed is lost.
  const keep = { protect: isProtected(settings.stage), retainOnDelete: isProtected(settings.stage) };
  const key = new aws.kms.Key(
    "Key",
    {
      description: `Device tokens (${settings.stage}): table, logs and alarms`,
      keyUsage: "ENCRYPT_DECRYPT",
      enableKeyRotation: true,
      deletionWindowInDays: isProtected(settings.stage) ? 30 : 7,
      policy,
    },
    keep,
  );
  new aws.kms.Alias("KeyAlias", { name: `alias/${names.all}`, targetKeyId: key.keyId }, keep);
  return key;
}
