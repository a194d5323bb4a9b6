// Bundles the configuration as SST's command line does, with the esbuild of its platform.
import { unlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// What the platform has installed and loads at run time; Pulumi cannot be bundled.
const external = ["@pulumi/*", "@pulumiverse/*", "@aws-sdk/*", "esbuild", "archiver", "glob", "undici", "vite"];

const nodeGlobals = `
import { createRequire as $createRequire } from "node:module";
import { fileURLToPath as $fileURLToPath } from "node:url";
import { dirname as $dirname } from "node:path";
const require = $createRequire(import.meta.url);
const __filename = $fileURLToPath(import.meta.url);
const __dirname = $dirname(__filename);
`;

let bundles = 0;

/**
 * Bundles a program, given as the text of a module in the configuration's folder, into
 * a module in the platform's folder, where its imports are found, and imports that.
 * shim gives it SST's globals; define the constants $app, $cli and $dev.
 */
export async function bundled({ root, text, shim, define = {} }) {
  const platform = join(root, ".sst", "platform");
  const esbuild = createRequire(join(platform, "package.json"))("esbuild");
  const outfile = join(platform, `synth-${process.pid}-${bundles++}.mjs`);
  await esbuild.build({
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
