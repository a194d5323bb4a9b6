import { type Account, type Names, logGroupArn, logRetention } from "./names";
import type { Settings } from "./settings";

// The actions that dynamostore needs.
const tableActions = ["DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"];

/** Makes the function that serves httpapi, its role and its log group. */
export function makeFunction(settings: Settings, names: Names, account: Account, key: aws.kms.Key, table: sst.aws.Dynamo) {
  const component = new sst.aws.Function("Function", {
    name: names.all,
    description: `HTTP API of the device-token registry (${settings.stage})`,
    runtime: "go",
    // `make sst-package` takes this binary from Terraform's zip, because SST builds only
    // packages at the root of their module.
    bundle: "../../examples/lambda/dist/arm64",
    handler: "bootstrap",
    architecture: "arm64",
    memory: "128 MB",
    timeout: "10 seconds",
    concurrency: { reserved: settings.reservedConcurrency },
    logging: { retention: logRetention[settings.stage] },
    // Not link: [table], which grants dynamodb:* on the table and its indexes.
    permissions: [
      { actions: tableActions.map((action) => `dynamodb:${action}`), resources: [table.arn] },
      {
        // DynamoDB uses the table's key on behalf of its caller.
        actions: ["kms:Decrypt", "kms:DescribeKey"],
        resources: [key.arn],
        conditions: [
          { test: "StringEquals", variable: "kms:ViaService", values: [`dynamodb.${account.region}.amazonaws.com`] },
        ],
      },
      {
        // Lambda names the log streams. The function may not create the group.
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [$interpolate`${logGroupArn(account, names.functionLogGroup)}:log-stream:*`],
      },
    ],
    transform: {
      logGroup: { kmsKeyId: key.arn },
      role: (args) => {
        args.name = `${names.all}-function`;
        args.description = `The device-token function (${settings.stage})`;
        // SST's own policy also trusts every principal of the account, for `sst dev`.
        args.assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" });
        // AWS's managed policy for logs may create any log group.
        args.managedPolicyArns = [];
      },
      function: (args) => {
        // The function uses no links, so it does not get the variables of SST's SDK,
        // one of which is a key.
        args.environment = { variables: environment(settings, names) };
        args.tracingConfig = { mode: "PassThrough" };
      },
    },
  });
  return { component, tableActions };
}

/** The variables that examples/lambda reads. */
function environment(settings: Settings, names: Names): Record<string, string> {
  const a = settings.authorizer;
  return {
    DEVICE_TOKEN_TABLE_NAME: names.table,
    DEVICE_TOKEN_STAGE: settings.stage,
    DEVICE_TOKEN_TTL: `${settings.tokenTtlDays * 24}h`,
    DEVICE_TOKEN_MAX_DEVICES: `${settings.maxDevices}`,
    DEVICE_TOKEN_LOG_LEVEL: settings.logLevel,
    ...(a.type === "cognito"
      ? { DEVICE_TOKEN_AUTH: "claims" }
      : {
          DEVICE_TOKEN_AUTH: "oidc",
          DEVICE_TOKEN_OIDC_ISSUER: a.issuer,
          DEVICE_TOKEN_OIDC_AUDIENCE: a.audience,
          DEVICE_TOKEN_OIDC_TOKEN: a.token,
          ...given({
            DEVICE_TOKEN_OIDC_OTHER_AUDIENCES: a.otherAudiences?.join(" "),
            DEVICE_TOKEN_OIDC_AUDIENCE_CLAIM: a.audienceClaim,
            DEVICE_TOKEN_OIDC_ALGORITHMS: a.algorithms?.join(" "),
            DEVICE_TOKEN_OIDC_DISCOVERY_URL: a.discoveryUrl,
            DEVICE_TOKEN_OIDC_METADATA_ISSUER: a.metadataIssuer,
            DEVICE_TOKEN_OIDC_KEYS_URL: a.keysUrl,
          }),
        }),
    ...given({ DEVICE_TOKEN_BASE_PATH: settings.basePath }),
  };
}

/** The settings that have a value. */
function given(all: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => Boolean(entry[1])));
}
