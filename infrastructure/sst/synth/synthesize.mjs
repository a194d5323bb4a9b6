// Evaluates the configuration and writes what it registers into docs/evidence/infra, or
// with --check says whether what is there is stale:
//
//   node synth/synthesize.mjs [--check]
//   node synth/synthesize.mjs CASE        only the resources of this one
import { execFile } from "node:child_process";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { cases } from "./cases.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const evidence = join(here, "..", "..", "..", "docs", "evidence", "infra");
const argument = process.argv[2];
const check = argument === "--check";
const chosen = argument === undefined || check ? Object.keys(cases) : [argument];

const files = new Map();
const summary = ["What a first deployment of each stage makes, as SST's components register it."];
for (const name of chosen) {
  const text = await evaluated(name);
  files.set(`sst-synth-${name}.json`, text);
  summary.push("", ...summarised(name, JSON.parse(text)));
}
if (chosen.length > 1) files.set("sst-synth-output.txt", summary.join("\n") + "\n");

const kept = (await readdir(evidence)).filter((file) => file.startsWith("sst-synth-"));
let stale = kept.filter((file) => !files.has(file));
for (const [file, text] of files) {
  if (!check) await writeFile(join(evidence, file), text);
  else if (!kept.includes(file) || (await readFile(join(evidence, file), "utf8")) !== text) stale.push(file);
}
if (check && stale.length > 0) {
  console.error(`FAIL  stale, or not of this configuration: ${stale.join(", ")}; run make sst-synth and read the difference`);
  process.exitCode = 1;
} else {
  console.log(`ok    synthesis: ${files.size} files ${check ? "as they are kept" : "written"}`);
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
