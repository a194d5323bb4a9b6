// Evaluates the configuration of a case with SST's components, and prints the resources that it registers, as JSON:
//
//   node synth/evaluate.mjs CASE
import { chmod, mkdir, mkdtemp, realpath, unlink, writeFile } from "node:fs/promises";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { cases } from "./cases.mjs";
import { commandLine, mocks } from "./cloud.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const platform = join(root, ".sst", "platform");
const require = createRequire(join(platform, "package.json"));
const { stage, program, regionRole } = cases[process.argv[2]];

// The platform has these installed. Pulumi cannot be bundled.
const external = ["@pulumi/*", "@pulumiverse/*", "@aws-sdk/*", "esbuild", "archiver", "glob", "undici", "vite"];

const nodeGlobals = `
import { createRequire as $createRequire } from "node:module";
import { fileURLToPath as $fileURLToPath } from "node:url";
import { dirname as $dirname } from "node:path";
const require = $createRequire(import.meta.url);
const __filename = $fileURLToPath(import.meta.url);
const __dirname = $dirname(__filename);
`;

// An evaluation that stops half way must not end with success.
process.on("unhandledRejection", (error) => {
  console.error(error);
  process.exit(1);
});

// Each evaluation has a folder, so that several can run at once.
const work = await realpath(await mkdtemp(join(tmpdir(), "sst-")));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
const packaged = join(work, "package");
await mkdir(packaged);
await writeFile(join(packaged, "bootstrap"), "");
await chmod(join(packaged, "bootstrap"), 0o755);

// First the application's settings, then its resources.
globalThis.$config = (config) => config;
const first = await bundled({ text: program });
const app = await first.default.app({ stage });
const region = app.providers.aws.region;

process.env.SST_SERVER = await commandLine({ bundle: packaged });
const module = await bundled({
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

const pulumi = require("@pulumi/pulumi");
const { runInPulumiStack } = require("@pulumi/pulumi/runtime/stack");
const { MockMonitor } = require("@pulumi/pulumi/runtime/mocks");

// Requests to Pulumi's engine have protection and order, which mocks do not get.
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

// Masks paths and the hash of the zip, which differ from machine to machine.
function masked(result) {
  const text = JSON.stringify(result, (_, value) => (typeof value === "object" ? sorted(value) : value), 1);
  return text.replaceAll(work, "<work>").replaceAll(root, ".").replace(/-code-[0-9a-f]{64}/g, "-code-<hash>") + "\n";
}

function sorted(value) {
  if (value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, value[key]]));
}

/**
 * Bundles the text of a module as SST's command line does, and imports it from the platform's folder, which has its
 * imports. shim adds SST's globals, and define sets constants.
 */
async function bundled({ text, shim = false, define = {} }) {
  const outfile = join(platform, `synth-${process.pid}-${shim}.mjs`);
  await require("esbuild").build({
    stdin: { contents: text, resolveDir: root, sourcefile: "program.ts", loader: "ts" },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external,
    keepNames: true,
    logLevel: "error",
    banner: { js: nodeGlobals },
    inject: shim ? [join(platform, "src", "shim", "run.js")] : [],
    define: Object.fromEntries(Object.entries(define).map(([key, value]) => [key, JSON.stringify(value)])),
  });
  try {
    return await import(pathToFileURL(outfile));
  } finally {
    await unlink(outfile);
  }
}
