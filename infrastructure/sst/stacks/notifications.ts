import type { Account, Names } from "./names";
import type { Settings } from "./settings";

/** The topic that the alarms tell, and who hears it. Returns the topic's ARN. */
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
