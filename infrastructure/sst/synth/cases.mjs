// What is evaluated: the three stages as sst.config.ts has them, and once the other
// authorizer, in an account where nothing has set the region's role for access logs:
// what Terraform plans with infrastructure/envs/emulator.tfvars.

const stage = (name) => ({ stage: name, program: `export { default } from "./sst.config.ts";`, regionRole: true });

export const cases = {
  dev: stage("dev"),
  stage: stage("stage"),
  prod: stage("prod"),
  oidc: {
    stage: "dev",
    program: `
      import config from "./sst.config.ts";
      import { stages } from "./stacks/settings";
      import { system } from "./stacks/system";
      const authorizer = {
        type: "oidc" as const, issuer: "https://issuer.example.com", audience: "device-tokens", token: "standard" as const,
      };
      export default { ...config, run: async () => system({ ...stages.dev, authorizer }) };`,
    regionRole: false,
  },
};
