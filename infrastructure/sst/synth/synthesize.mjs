// Evaluates the cases, writes the registered resources into .cache/plans and a summary into docs/evidence/infra. With
// --check it fails if the summary is stale. With a case it writes only its resources.
//
//   node synth/synthesize.mjs [--check | CASE]
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
let summary = "The resources of a first deployment, as SST's components register them.\n";
let dev;
for (const name of chosen) {
  const text = await evaluated(name);
  await writeFile(join(plans, `sst-${name}.json`), text);
  const { title, lines } = summarised(name, JSON.parse(text));
  if (name === "dev") {
    dev = lines;
    summary += `\n${title}\n`;
    for (const type of new Set(lines.map((line) => line.split(" ")[0]))) {
      const names = lines.filter((line) => line.startsWith(`${type} `)).map((line) => line.slice(type.length));
      summary += `  ${type}${names.join(",")}\n`;
    }
  } else if (dev) {
    const less = dev.filter((line) => !lines.includes(line)).map((line) => `- ${line}\n`);
    const more = lines.filter((line) => !dev.includes(line)).map((line) => `+ ${line}\n`);
    summary += `\n${title}; compared with dev:\n${[...less, ...more].join("")}`;
  }
}
if (check && (await readFile(kept, "utf8")) !== summary) {
  console.error("FAIL  docs/evidence/infra/sst-synth-output.txt is stale: run make sst-synth and read the difference");
  process.exitCode = 1;
} else {
  if (argument === undefined) await writeFile(kept, summary);
  console.log(`ok    synthesis of ${chosen.join(", ")}`);
}

/** Runs evaluate.mjs for a case. Each case needs a process, because Pulumi keeps state in globals. */
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
  const line = ({ type, name, protect, retainOnDelete }) => {
    const marks = [protect && "protected", retainOnDelete && "kept"].filter(Boolean);
    return `${type} ${name}${marks.length > 0 ? ` (${marks.join(", ")})` : ""}`;
  };
  return {
    title: `${name}: stage ${app.stage}, ${resources.length} resources; removal: ${app.removal}, protect: ${app.protect}`,
    lines: [...resources.map(line), `outputs: ${Object.keys(outputs).join(", ")}`],
  };
}
