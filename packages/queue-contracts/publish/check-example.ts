// `pnpm run example:check`: what another team gets. The example is installed from the packed tarball into a
// folder outside the workspace, type-checked as a Node service and as a bundled app, built and run.
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { packTarball } from "./pack-tarball.ts";

const example = fileURLToPath(new URL("../examples/consumer", import.meta.url));
const folder = await mkdtemp(path.join(tmpdir(), "forebay-contracts-"));
const app = path.join(folder, "app");
const say = (text: string): unknown => process.stdout.write(`${text}\n`);

async function run(title: string, command: string, ...args: string[]): Promise<string> {
  say(`- ${title}`);
  try {
    return (await promisify(execFile)(command, args, { cwd: app })).stdout;
  } catch (error) {
    const output = error instanceof Error && "stdout" in error ? error.stdout : "";
    throw new Error(`${title} failed:\n${output}`, { cause: error });
  }
}

try {
  say("- pack");
  const tarball = await packTarball(folder);
  await cp(example, app, { recursive: true });
  await run("install the tarball", "npm", "install", "--no-audit", "--no-fund", tarball);
  const tsc = path.join(app, "node_modules/.bin/tsc");
  await run(
    "type-check as a bundled app",
    tsc,
    "--noEmit",
    "--module",
    "esnext",
    "--moduleResolution",
    "bundler",
  );
  await run("build as a Node service", tsc);
  const output = await run("run it", process.execPath, "dist/main.js");
  if (!/^queue \{infer\.llama3\.2_3b\.\w{8}\}, tag \w{8}, lane batch/m.test(output)) {
    throw new Error(`the example printed something else than expected:\n${output}`);
  }
  say("The example works with the packed tarball.");
} finally {
  await rm(folder, { recursive: true, force: true });
}
