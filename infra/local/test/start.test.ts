import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import path from "node:path";
import { isAlive, startRedis, waitFor } from "@forebay/test-harness";
import { expect, test } from "vitest";
import { createLocalRun, type LocalRun } from "./local-run.ts";

// Whole stacks start and stop here, on whatever the machine has.
const timeout = 120_000;

/** The pid of the one process of this run whose command line contains the text. */
function pidOf(run: LocalRun, text: string): number {
  const found = [...run.processes()].filter(([, command]) => command.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} processes of ${text}`);
  return found[0]?.[0] ?? 0;
}

test("one command: Redis, Ollama, all services, an answer, and where everything is", {
  timeout,
}, async () => {
  await using run = await createLocalRun();
  const stack = await run.start();
  const output = stack.output();
  expect(output).toContain("using the simulator");
  expect(output).toMatch(
    /POST \/jobs .*\n[^]* is (waiting|active)\n[^]*✓ Answer after .* tokens:\n\n {2}\S+/,
  );
  for (const name of ["API_PORT", "DASHBOARD_PORT", "WORKER_OPS_PORT"])
    expect(output).toContain(`:${run.env[name]}`);
  const curl = output.match(/curl -s (\S+\/jobs) -H 'content-type: application\/json' -d '([^']+)'/);
  const answer = await fetch(String(curl?.[1]), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: String(curl?.[2]),
  });
  expect(answer.status).toBe(202);
});

test("SIGTERM drains, and leaves no process and no lock", { timeout }, async () => {
  await using run = await createLocalRun();
  const stack = await run.start({ args: ["--no-sample"] });
  expect(run.processes().size).toBeGreaterThanOrEqual(8);
  await stack.kill("SIGTERM");
  expect(await stack.exited).toEqual({ code: 0, signal: null });
  await waitFor(() => run.processes().size === 0, { what: "no process is left" });
  expect(readdirSync(run.dataDir).toSorted()).toEqual(["logs", "redis"]);
});

test("jobs survive a stop and a start from the same directory", { timeout }, async () => {
  await using run = await createLocalRun();
  const first = await run.start();
  const id = first.output().match(/(j\S+) is /)?.[1];
  await first.kill("SIGTERM");
  await run.start({ args: ["--no-sample"] });
  const answer = await fetch(`http://127.0.0.1:${run.env.API_PORT}/jobs/${id}`);
  expect(await answer.json()).toMatchObject({ job_id: id, state: "completed" });
});

test("nothing is left either when the starting process is killed without a word", { timeout }, async () => {
  await using run = await createLocalRun();
  const stack = await run.start({ args: ["--no-sample"] });
  process.kill(pidOf(run, "infra/local/start.ts"), "SIGKILL");
  await stack.exited;
  await waitFor(() => run.processes().size === 0, { what: "no process is left", timeoutMs: 60_000 });
  // Its lock is a dead one, and does not stop the next start.
  await run.start({ args: ["--no-sample"] });
});

test("a service that is killed is reported and started again", { timeout }, async () => {
  await using run = await createLocalRun();
  const stack = await run.start({ args: ["--no-sample"] });
  process.kill(pidOf(run, "apps/dlq-handler"), "SIGKILL");
  await waitFor(() => stack.output().includes("dlq-handler ended unexpectedly (SIGKILL)"), {
    what: "the report",
  });
  const ready = async () => (await fetch(`http://127.0.0.1:${run.env.DLQ_OPS_PORT}/readyz`)).ok;
  await waitFor(ready, { what: "dlq-handler is ready again", timeoutMs: 30_000 });
});

test("a Redis that is killed comes back on its port with its data", { timeout }, async () => {
  await using run = await createLocalRun();
  const stack = await run.start();
  const id = stack.output().match(/(j\S+) is /)?.[1];
  process.kill(pidOf(run, "redis-server"), "SIGKILL");
  await waitFor(async () => (await fetch(`http://127.0.0.1:${run.env.API_PORT}/jobs/${id}`)).status === 200, {
    what: "the job is there again",
    timeoutMs: 30_000,
  });
});

test("two stacks on one Redis with prefixes of their own do not see each other", { timeout }, async () => {
  await using redis = await startRedis();
  const env = { REDIS_URL: redis.url };
  await using left = await createLocalRun({ ...env, FOREBAY_KEY_PREFIX: "left" });
  await using right = await createLocalRun({ ...env, FOREBAY_KEY_PREFIX: "right" });
  const [first] = await Promise.all([left.start(), right.start({ args: ["--no-sample"] })]);
  const id = first.output().match(/(j\S+) is /)?.[1];
  expect((await fetch(`http://127.0.0.1:${left.env.API_PORT}/jobs/${id}`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${right.env.API_PORT}/jobs/${id}`)).status).toBe(404);
  expect(existsSync(path.join(left.dataDir, "redis"))).toBe(false);
  expect(isAlive(redis.pid)).toBe(true);
});

test("a directory in use is refused, with the process that uses it", { timeout }, async () => {
  await using run = await createLocalRun();
  await run.start({ args: ["--no-sample"] });
  const other = await createLocalRun({ FOREBAY_DATA_DIR: run.dataDir });
  await expect(other.start()).rejects.toThrow(
    new RegExp(`already runs from .*process ${pidOf(run, "infra/local/start.ts")}.*FOREBAY_DATA_DIR`),
  );
});

test("a taken port stops the start before anything runs, and says what to change", async () => {
  await using run = await createLocalRun();
  const server = createServer().listen(Number(run.env.DASHBOARD_PORT), "127.0.0.1");
  await once(server, "listening");
  await expect(run.start()).rejects.toThrow(
    new RegExp(`Port ${run.env.DASHBOARD_PORT} on 127.0.0.1 is taken[^]*DASHBOARD_PORT`),
  );
  server.close();
  expect(readdirSync(run.dataDir)).toEqual([]);
});

test.each([
  ["API_PORT", "http", "API_PORT: expected number"],
  ["REDIS_URL", "redis://127.0.0.1:1", "No Redis at 127.0.0.1:1, where REDIS_URL points"],
])("a wrong %s is explained at once", async (variable, value, explanation) => {
  await using run = await createLocalRun({ [variable]: value });
  await expect(run.start()).rejects.toThrow(explanation);
  expect(run.processes().size).toBe(0);
});
