// The evaluated cases: the three stages of sst.config.ts; the other authorizer, in an account without a role for access
// logs, as infrastructure/envs/emulator.tfvars; and every setting that no stage sets, as infrastructure/tests/options.tfvars.

/** dev with other settings, as TypeScript. */
const dev = (settings) => ({
  stage: "dev",
  program: `
    import config from "./sst.config.ts";
    import { type Settings, stages } from "./stacks/settings";
    import { system } from "./stacks/system";
    const other: Partial<Settings> = ${settings};
    export default { ...config, run: async () => system({ ...stages.dev, ...other }) };`,
});

const stage = (name) => ({ stage: name, program: `export { default } from "./sst.config.ts";`, regionRole: true });

export const cases = {
  dev: stage("dev"),
  stage: stage("stage"),
  prod: stage("prod"),
  oidc: {
    ...dev(`{
      authorizer: { type: "oidc", issuer: "https://issuer.example.com", audience: "device-tokens", token: "standard" },
    }`),
    regionRole: false,
  },
  options: {
    ...dev(`{
      extraTags: { Team: "push" },
      authorizer: {
        type: "cognito",
        userPoolArns: ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_devEXAMPLE"],
        scopes: ["device-tokens/write", "device-tokens/read"],
      },
      basePath: "/push",
      customDomain: {
        name: "push.example.com",
        certificateArn: "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666",
      },
      webAclArn: "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/push/0a1b2c3d-1111-2222-3333-444455556666",
      tokenTtlDays: 30,
      maxDevices: 5,
      logLevel: "debug",
      reservedConcurrency: 10,
      tableName: "device-tokens-dev-restored",
      stream: "keys-only",
      readLimit: 10,
      movedLimit: 5,
      alarmTopicArn: "arn:aws:sns:eu-central-1:111122223333:alarms",
    }`),
    regionRole: true,
  },
};
