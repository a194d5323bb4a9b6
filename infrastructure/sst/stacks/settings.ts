// The settings of each stage, like infrastructure/variables.tf and infrastructure/envs.

import limits from "../../limits.json";

export type Stage = "dev" | "stage" | "prod";

/** How requests are authenticated. */
export type Authorizer =
  | { type: "cognito"; userPoolArns: [string, ...string[]]; scopes?: [string, ...string[]] }
  | {
      type: "oidc";
      issuer: string;
      audience: string;
      token: "standard" | "access" | "cognito-access" | "cognito-id";
      otherAudiences?: string[];
      audienceClaim?: "aud" | "azp" | "client_id" | "cid";
      algorithms?: string[];
      discoveryUrl?: string;
      metadataIssuer?: string;
      keysUrl?: string;
    };

/** The settings. infrastructure/variables.tf explains each. */
export interface Settings {
  stage: Stage;
  region: aws.Region;
  owner: string;
  costCenter: string;
  extraTags?: Record<string, string>;
  authorizer: Authorizer;
  basePath?: string;
  customDomain?: { name: string; certificateArn: string; keepDefaultEndpoint?: boolean };
  webAclArn?: string;
  tokenTtlDays: number;
  maxDevices: number;
  logLevel: "debug" | "info" | "warn" | "error";
  reservedConcurrency: number;
  tableName?: string;
  stream?: "keys-only" | "new-image" | "old-image" | "new-and-old-images";
  alarmEmail?: string;
  alarmTopicArn?: string;
  movedLimit: number;
  readLimit?: number;
  writeLimit?: number;
}

const common = {
  region: "eu-central-1",
  owner: "mobile-platform",
  costCenter: "cc-1234",
  tokenTtlDays: limits.tokenTtlDays.default,
  maxDevices: limits.maxDevices.default,
  logLevel: "info",
  reservedConcurrency: -1,
  movedLimit: 100,
} as const;

// The account, the user pools and the addresses are placeholders: replace them here
// and in infrastructure/envs.
const pool = (id: string) => `arn:aws:cognito-idp:eu-central-1:111122223333:userpool/${id}`;

export const stages: Record<Stage, Settings> = {
  dev: {
    ...common,
    stage: "dev",
    authorizer: { type: "cognito", userPoolArns: [pool("eu-central-1_devEXAMPLE")] },
  },
  stage: {
    ...common,
    stage: "stage",
    authorizer: { type: "cognito", userPoolArns: [pool("eu-central-1_stageEXAMPLE")] },
    alarmEmail: "mobile-platform-stage@example.com",
  },
  prod: {
    ...common,
    stage: "prod",
    authorizer: { type: "cognito", userPoolArns: [pool("eu-central-1_prodEXAMPLE")] },
    alarmEmail: "mobile-platform-oncall@example.com",
    // Twice the expected peak.
    readLimit: 100,
    writeLimit: 200,
  },
};

/** Returns the checked settings of a stage. */
export function settingsOf(stage: string): Settings {
  if (!Object.hasOwn(stages, stage)) {
    throw new Error(`The stage is ${Object.keys(stages).join(", ")}, not ${stage}.`);
  }
  return checked(stages[stage as Stage]);
}

/** Whether the table and its key are protected from deletion. */
export function isProtected(stage: Stage): boolean {
  return stage !== "dev";
}

/** Returns the settings, or throws an error with every fault that the types allow. */
export function checked(s: Settings): Settings {
  const faults: string[] = [];
  const need = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault);
  };
  const whole = (n: number, { least, most }: { least: number; most: number }) => Number.isInteger(n) && n >= least && n <= most;
  const { tokenTtlDays: days, maxDevices: devices } = limits;

  need(s.owner.trim() !== "" && s.costCenter.trim() !== "", "The tags Owner and CostCenter must not be empty.");
  need(
    !["Project", "Env", "Owner", "CostCenter"].some((name) => Object.hasOwn(s.extraTags ?? {}, name)),
    "The tags Project, Env, Owner and CostCenter follow from the other settings.",
  );
  need(whole(s.tokenTtlDays, days), `Registrations live for a whole number of days, ${days.least} to ${days.most}.`);
  need(whole(s.maxDevices, devices), `A user may have ${devices.least} to ${devices.most} devices.`);
  need(
    s.reservedConcurrency === -1 || whole(s.reservedConcurrency, { least: 1, most: Infinity }),
    "The reserved concurrency is a whole number of at least 1, or -1 for none.",
  );
  for (const limit of [s.readLimit, s.writeLimit]) {
    need(limit === undefined || limit >= 1, "A limit on consumption is at least 1 unit a second.");
  }
  need(s.movedLimit >= 1, "The limit on moved registrations is at least 1 an hour.");
  if (s.customDomain) {
    need(/^([a-z0-9-]+\.)+[a-z]{2,}$/.test(s.customDomain.name), "The domain's name looks like push.example.com, in lower case.");
    need(
      !/^\/.*\//.test(s.basePath ?? ""),
      "With a custom domain the base path has one part, like /push: API Gateway's mapping of a REST API takes no more.",
    );
    need(
      new RegExp(`^arn:aws[a-z-]*:acm:${s.region}:[0-9]{12}:certificate/[A-Za-z0-9-]+$`).test(s.customDomain.certificateArn),
      "The domain's certificate is named by its ARN, in the region of the API.",
    );
  }
  need(
    s.webAclArn === undefined ||
      new RegExp(`^arn:aws[a-z-]*:wafv2:${s.region}:[0-9]{12}:regional/webacl/[A-Za-z0-9_-]+/[A-Za-z0-9-]+$`).test(s.webAclArn),
    "A web ACL is named by its ARN: of AWS WAF v2, regional, in the region of the API.",
  );
  need(
    s.tableName === undefined || /^[A-Za-z0-9_.-]{3,255}$/.test(s.tableName),
    "A table name has 3 to 255 letters, digits, underscores, hyphens and dots.",
  );
  need(
    s.stage !== "prod" || s.alarmEmail !== undefined || s.alarmTopicArn !== undefined,
    "In prod the alarms need a recipient: set alarmEmail or alarmTopicArn.",
  );
  need(s.alarmEmail === undefined || /^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(s.alarmEmail), "alarmEmail is no e-mail address.");
  need(
    s.alarmTopicArn === undefined || /^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$/.test(s.alarmTopicArn),
    "A topic is named by its ARN.",
  );
  need(
    s.alarmEmail === undefined || s.alarmTopicArn === undefined,
    "Set alarmEmail or alarmTopicArn: who subscribes to a topic of yours is not decided here.",
  );
  need(
    s.basePath === undefined || /^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(s.basePath),
    "The base path is like /push: each segment begins with a slash and has letters, digits and ._-",
  );

  const a = s.authorizer;
  switch (a.type) {
    case "cognito":
      need(a.userPoolArns.length > 0, "A cognito authorizer needs a user pool.");
      for (const arn of a.userPoolArns) {
        need(
          /^arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:[0-9]{12}:userpool\/[A-Za-z0-9_-]+$/.test(arn),
          "A user pool is named by its ARN.",
        );
      }
      break;
    case "oidc":
      need(
        /^https:\/\/[^ ?#]+$/.test(a.issuer) || (a.issuer !== "" && Boolean(a.discoveryUrl ?? a.keysUrl)),
        "An oidc authorizer needs an https issuer without query or fragment; with discoveryUrl or keysUrl it may be any name.",
      );
      for (const url of [a.discoveryUrl, a.keysUrl]) {
        need(url === undefined || /^https:\/\/[^ #]+$/.test(url), "discoveryUrl and keysUrl are https addresses without a fragment.");
      }
      need(
        a.keysUrl === undefined || (a.discoveryUrl === undefined && a.metadataIssuer === undefined),
        "With keysUrl no metadata is read: leave out discoveryUrl and metadataIssuer.",
      );
      need(
        [...(a.otherAudiences ?? []), ...(a.algorithms ?? [])].every((word) => /^[^ ]+$/.test(word)),
        "otherAudiences and algorithms have no empty entry and no spaces.",
      );
      need(
        a.audienceClaim === undefined || ["aud", "azp", "client_id", "cid"].includes(a.audienceClaim),
        "The audienceClaim is aud, azp, client_id or cid.",
      );
      need(a.audience.trim() !== "", "An oidc authorizer needs an audience.");
      need(
        ["standard", "access", "cognito-access", "cognito-id"].includes(a.token),
        "The token is standard, access, cognito-access or cognito-id.",
      );
      break;
    default:
      need(false, "The authorizer's type is cognito or oidc.");
  }

  if (faults.length > 0) throw new Error(faults.join(" "));
  return s;
}
