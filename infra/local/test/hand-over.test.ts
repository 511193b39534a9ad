import { readFileSync } from "node:fs";
import path from "node:path";
import { isAlive, startProcess, waitFor } from "@forebay/test-harness";
import { expect, test } from "vitest";

const file = path.resolve(import.meta.dirname, "../bootstrap.mjs");
const fixture = "infra/local/test/fixtures/handed-over.ts";

function bootstrap(args: readonly string[], env: Record<string, string> = {}) {
  return startProcess({ file, args: ["run", fixture, ...args], env, ready: /args .*\n/ });
}

/** The process that bootstrap handed over to. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
}

test("arguments arrive as they were, on a Node that runs TypeScript", async () => {
  await using run = await bootstrap(["0", "--no-sample", "two words"]);
  expect(run.output()).toMatch(/node 2[4-9] args \["--no-sample","two words"\]/);
});

test("a signal is passed on and the exit code comes back", async () => {
  const run = await bootstrap(["23"]);
  await run.kill("SIGTERM");
  expect(await run.exited).toEqual({ code: 23, signal: null });
});

test("an unknown command names those there are", async () => {
  const start = startProcess({ file, args: ["launch"], ready: /never/ });
  await expect(start).rejects.toThrow("start | test | setup | run");
});

test.runIf(process.platform === "linux")("under npm, it ends when npm is killed without a word", async () => {
  // A stand-in for npm: starts bootstrap as npm does, and can be killed.
  const script = `import { spawn } from "node:child_process";
    spawn(process.execPath, process.argv.slice(1), { stdio: "inherit" });`;
  const args = ["--input-type=module", "-e", script, file, "run", fixture, "0"];
  const env = { npm_lifecycle_event: "start" };
  const npm = await startProcess({ file: args[0] ?? "", args: args.slice(1), env, ready: /args .*\n/ });
  const started = childOf(npm.pid);
  const handedOver = childOf(started);
  await npm.kill("SIGKILL");
  await waitFor(() => ![started, handedOver].some(isAlive), { what: "bootstrap and its program are gone" });
});
