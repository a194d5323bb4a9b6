// Evaluates the configuration, writes what it registers into .cache/plans and a summary
// of that into docs/evidence/infra, or with --check fails if the summary there is stale:
//
//   node synth/synthesize.mjs [--check]
//   node synth/synthesize.mjs CASE        only the resources of this one
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { cases } from "./cases.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, "..", "..", "..");
const plans = join(repository, ".cache", "plans");
const kept = join(repository, "docs", "evidence", "infra", "sst-synth-output.txt");
const argument = process.argv[2];
const check = argument === "--check";
const chosen = argument === undefined || check ? Object.keys(cases) : [argument];

await mkdir(plans, { recursive: true });
let summary = "What a first deployment of each stage makes, as SST's components register it.\n";
for (const name of chosen) {
  const text = await evaluated(name);
  await writeFile(join(plans, `sst-${name}.json`), text);
  summary += `\n${summarised(name, JSON.parse(text)).join("\n")}\n`;
}
if (check && (await readFile(kept, "utf8")) !== summary) {
  console.error("FAIL  docs/evidence/infra/sst-synth-output.txt is stale: run make sst-synth and read the difference");
  process.exitCode = 1;
} else {
  if (argument === undefined) await writeFile(kept, summary);
  console.log(`ok    synthesis of ${chosen.join(", ")}`);
}

/** What evaluate.mjs prints for a case. A case is a process: Pulumi keeps its state in globals. */
async function evaluated(name) {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [join(here, "evaluate.mjs"), name], {
    timeout: 300_000,
    killSignal: "SIGKILL",
    maxBuffer: 64 << 20,
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  return stdout;
}

function summarised(name, { app, resources, outputs }) {
  const line = ({ type, name, protect, retainOnDelete, inputs }) => {
    const marks = [protect && "protected", retainOnDelete && "kept", inputs.tags && "tagged"].filter(Boolean);
    return `  ${type} ${name}${marks.length > 0 ? ` (${marks.join(", ")})` : ""}`;
  };
  return [
    `${name}: stage ${app.stage}, ${resources.length} resources; removal: ${app.removal}, protect: ${app.protect}`,
    ...resources.map(line),
    `  outputs: ${Object.keys(outputs).join(", ")}`,
  ];
}
