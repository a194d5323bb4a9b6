import type { Settings, Stage } from "./settings";

// Names instead of references prevent a cycle: the key's policy names the log groups,
// which are encrypted with the key.
export function namesOf(settings: Settings) {
  const name = `device-tokens-${settings.stage}`;
  return {
    all: name,
    table: settings.tableName ?? name,
    functionLogGroup: `/aws/lambda/${name}`,
    accessLogGroup: `/aws/apigateway/${name}`,
  };
}

export type Names = ReturnType<typeof namesOf>;

/** The account and region of the deployment. */
export interface Account {
  id: $util.Output<string>;
  partition: $util.Output<string>;
  region: aws.Region;
}

/** ARN of a log group, without the `:*` that some of AWS's APIs append. */
export function logGroupArn(account: Account, group: string): $util.Output<string> {
  return $interpolate`arn:${account.partition}:logs:${account.region}:${account.id}:log-group:${group}`;
}

/** SST's terms for the days that logs are kept: 14, 30 and 90. */
export const logRetention = { dev: "2 weeks", stage: "1 month", prod: "3 months" } as const satisfies Record<Stage, string>;

/**
 * Tags every resource that can have tags, including those that SST's components add. Pulumi's AWS resources of such a
 * type have the property "tags" even if it is not set.
 */
export function tagEverything(settings: Settings) {
  const tags = {
    ...settings.extraTags,
    Project: "device-tokens",
    Env: settings.stage,
    Owner: settings.owner,
    CostCenter: settings.costCenter,
  };
  $util.runtime.registerStackTransformation(({ type, props, opts }) => {
    if (!type.startsWith("aws:") || !("tags" in props) || opts.id !== undefined) return undefined;
    return { props: { ...props, tags: { ...props.tags, ...tags } }, opts };
  });
}
