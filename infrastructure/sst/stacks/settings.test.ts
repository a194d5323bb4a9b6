import { expect, test } from "bun:test";

import { type Settings, checked, settingsOf, stages } from "./settings";

const oidc = { type: "oidc", issuer: "https://issuer.example.com", audience: "device-tokens", token: "standard" } as const;

test("each stage's settings are accepted, also with the other authorizer", () => {
  for (const [stage, settings] of Object.entries(stages)) {
    expect(settingsOf(stage)).toBe(settings);
    expect(settings.stage as string).toBe(stage);
    checked({ ...settings, authorizer: oidc });
    checked({ ...settings, basePath: "/push/api", authorizer: { ...oidc, issuer: "name", keysUrl: "https://id.example.com/keys?v=1" } });
  }
});

test("another stage is rejected", () => {
  for (const stage of ["", "staging", "alice", "__proto__", "toString"]) {
    expect(() => settingsOf(stage)).toThrow("The stage is dev, stage, prod");
  }
});

const certificate = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666";
const webAcl = "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/push/0a1b2c3d-1111-2222-3333-444455556666";
const topic = "arn:aws:sns:eu-central-1:111122223333:alarms";

const { alarmEmail: _, ...unheard } = stages.prod;
const refused: [string, unknown, string][] = [
  ["no authorizer's type", { authorizer: { type: "none" } }, "The authorizer's type"],
  ["no user pool", { authorizer: { type: "cognito", userPoolArns: [] } }, "needs a user pool"],
  ["a user pool's ID", { authorizer: { type: "cognito", userPoolArns: ["eu-central-1_X"] } }, "named by its ARN"],
  ["an issuer without TLS", { authorizer: { ...oidc, issuer: "http://issuer.example.com" } }, "https issuer"],
  ["an issuer with a query", { authorizer: { ...oidc, issuer: "https://issuer.example.com?x" } }, "https issuer"],
  ["metadata without TLS", { authorizer: { ...oidc, discoveryUrl: "http://issuer.example.com" } }, "https addresses"],
  ["keys beside metadata", { authorizer: { ...oidc, keysUrl: "https://id.example.com", metadataIssuer: "x" } }, "no metadata is read"],
  ["an audience with a space", { authorizer: { ...oidc, otherAudiences: ["my app"] } }, "no spaces"],
  ["another audience claim", { authorizer: { ...oidc, audienceClaim: "sub" } }, "aud, azp"],
  ["a base path that ends with a slash", { basePath: "/push/" }, "like /push"],
  ["no audience", { authorizer: { ...oidc, audience: " " } }, "an audience"],
  ["another kind of token", { authorizer: { ...oidc, token: "any" } }, "The token is"],
  ["no owner", { owner: " " }, "Owner and CostCenter"],
  ["no cost centre", { costCenter: "" }, "Owner and CostCenter"],
  ["six days", { tokenTtlDays: 6 }, "7 to 3650"],
  ["part of a day", { tokenTtlDays: 7.5 }, "7 to 3650"],
  ["no devices", { maxDevices: 0 }, "1 to 1000"],
  ["no concurrency", { reservedConcurrency: 0 }, "reserved concurrency"],
  ["a limit of nothing", { readLimit: 0 }, "at least 1 unit"],
  ["a limit of nothing", { writeLimit: 0.5 }, "at least 1 unit"],
  ["no moved registrations", { movedLimit: 0 }, "at least 1 an hour"],
  ["a domain in capitals", { customDomain: { name: "Push.example.com", certificateArn: certificate } }, "in lower case"],
  ["a domain with a path", { customDomain: { name: "example.com/push", certificateArn: certificate } }, "in lower case"],
  ["a base path of two parts", { basePath: "/push/api", customDomain: { name: "push.example.com", certificateArn: certificate } }, "one part"],
  ["a certificate elsewhere", { customDomain: { name: "push.example.com", certificateArn: certificate.replace("eu-central", "us-east") } }, "in the region"],
  ["a web ACL's name", { webAclArn: "push" }, "A web ACL is named by its ARN"],
  ["a web ACL of CloudFront", { webAclArn: webAcl.replace("regional", "global") }, "A web ACL is named by its ARN"],
  ["no address", { alarmEmail: "on-call" }, "no e-mail address"],
  ["a required tag", { extraTags: { Team: "push", Env: "other" } }, "follow from the other settings"],
  ["a short table name", { tableName: "ab" }, "A table name has"],
  ["a table's ARN", { tableName: "arn:aws:dynamodb:eu-central-1:111122223333:table/x" }, "A table name has"],
  ["a topic's name", { alarmEmail: undefined, alarmTopicArn: "alarms" }, "named by its ARN"],
  ["an address and a topic", { alarmTopicArn: topic }, "alarmEmail or alarmTopicArn"],
];
for (const [name, change, fault] of refused) {
  test(`rejects ${name}`, () => {
    expect(() => checked({ ...stages.prod, ...(change as Partial<Settings>) })).toThrow(fault);
  });
}

test("prod needs a recipient of its alarms, dev does not", () => {
  expect(() => checked(unheard)).toThrow("the alarms need a recipient");
  checked({ ...unheard, stage: "dev" });
  checked({ ...unheard, alarmTopicArn: topic });
});

test("the error has every fault", () => {
  expect(() => checked({ ...stages.dev, owner: "", maxDevices: 0 })).toThrow(/Owner.*1 to 1000/);
});
