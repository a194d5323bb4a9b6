// Evaluates the configuration with SST's real components for one case, and prints every
// resource that it registers, as JSON:
//
//   node synth/evaluate.mjs CASE
import { chmod, mkdir, mkdtemp, realpath, writeFile } from "node:fs/promises";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { bundled } from "./bundle.mjs";
import { cases } from "./cases.mjs";
import { commandLine, mocks } from "./cloud.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const platform = join(root, ".sst", "platform");
const name = process.argv[2];
const { stage, program, regionRole } = cases[name];

// Nothing may end this with a success that evaluated only a part.
process.on("unhandledRejection", (error) => {
  console.error(error);
  process.exit(1);
});

// A folder of its own, so that any number of these may run at once.
const work = await realpath(await mkdtemp(join(tmpdir(), "sst-")));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
const packaged = join(work, "package");
await mkdir(packaged);
await writeFile(join(packaged, "bootstrap"), "");
await chmod(join(packaged, "bootstrap"), 0o755);

// First what the application says of itself, then what it is made of.
globalThis.$config = (config) => config;
const first = await bundled({ root, text: program });
const app = await first.default.app({ stage });
const region = app.providers.aws.region;

process.env.SST_SERVER = await commandLine({ bundle: packaged });
const module = await bundled({
  root,
  text: `${program}
    import * as sst from "./.sst/platform/src/components";
    import * as aws from "@pulumi/aws";
    Object.assign(globalThis, { sst, aws });
    export { run } from "./.sst/platform/src/auto/run";`,
  shim: true,
  define: {
    $app: { name: app.name, stage, removal: app.removal, protect: app.protect, providers: app.providers },
    $cli: { command: "deploy", dev: false, paths: { home: work, root, work, platform }, state: { version: {} } },
    $dev: false,
  },
});

// The modules of Pulumi that the bundle uses too.
const require = createRequire(join(platform, "package.json"));
const pulumi = require("@pulumi/pulumi");
const { runInPulumiStack } = require("@pulumi/pulumi/runtime/stack");
const { MockMonitor } = require("@pulumi/pulumi/runtime/mocks");

// What reaches Pulumi's engine is more than mocks are told: protection and order too.
const resources = [];
const register = MockMonitor.prototype.registerResource;
MockMonitor.prototype.registerResource = function (request, callback) {
  return register.call(this, request, (error, response) => {
    if (!error && request.getCustom()) resources.push(described(request, response.getId()));
    callback(error, response);
  });
};

function described(request, id) {
  return {
    type: request.getType(),
    name: request.getName(),
    id,
    protect: request.getProtect() ?? false,
    retainOnDelete: request.getRetainondelete() ?? false,
    ignoreChanges: request.getIgnorechangesList(),
    dependsOn: request.getDependenciesList().map((urn) => urn.split("::").pop()).sort(),
    inputs: request.getObject().toJavaScript(),
  };
}

pulumi.runtime.setMocks(mocks({ region, regionRole }), app.name, stage, false);
let outputs;
await runInPulumiStack(async () => {
  outputs = await module.run(module.default.run);
  return outputs;
});
const settled = await new Promise((resolve) => pulumi.output(outputs).apply(resolve));

process.on("beforeExit", () => {
  if (resources.length === 0) throw new Error("nothing was registered");
  const order = (r) => `${r.type} ${r.name}`;
  resources.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  process.stdout.write(masked({ app: { ...app, stage }, outputs: settled, resources }));
  process.exit(0);
});

// Without what differs from machine to machine: paths, and the hash of a zip, which
// holds modes.
function masked(result) {
  const text = JSON.stringify(result, (_, value) => (typeof value === "object" ? sorted(value) : value), 1);
  return text.replaceAll(work, "<work>").replaceAll(root, ".").replace(/-code-[0-9a-f]{64}/g, "-code-<hash>") + "\n";
}

function sorted(value) {
  if (value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, value[key]]));
}
