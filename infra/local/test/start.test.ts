import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import path from "node:path";
import { isAlive, type ProcessHandle, startRedis, waitFor } from "@forebay/test-harness";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLocalRun, type LocalRun } from "./local-run.ts";

// Whole stacks start and stop here, on whatever the machine has.
const timeout = 120_000;

/** The pid of the one process of this run whose command line contains the text. */
function pidOf(run: LocalRun, text: string): number {
  const found = [...run.processes()].filter(([, command]) => command.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} processes of ${text}`);
  return found[0]?.[0] ?? 0;
}

function jobIdIn(output: string): string {
  return String(output.match(/(j\S+) is /)?.[1]);
}

test("one command: Redis, Ollama, all services, an answer, and where everything is", {
  timeout,
}, async () => {
  await using run = await createLocalRun();
  const stack = await run.start();
  const output = stack.output();
  expect(output).toMatch(/using the simulator|✓ Ollama at/);
  expect(output).toMatch(
    /POST \/jobs .*\n {2}j\w{33} is accepted.*\n\n {2}\S+ \S+[^]*✓ Answer after .* [1-9]\d* tokens\n/,
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

test("npm start, told to stop, drains and leaves no process and no lock; the next start finds the jobs", {
  timeout,
}, async () => {
  await using run = await createLocalRun();
  const stack = await run.npmStart();
  expect([...run.processes().values()].join("\n")).toMatch(
    /redis-server[^]*apps\/api|apps\/api[^]*redis-server/,
  );
  await stack.kill("SIGTERM");
  expect(await stack.exited).toEqual({ code: 0, signal: null });
  // The reaper, a shell, ends by itself right after.
  expect([...run.processes().values()].filter((command) => !command.startsWith("sh "))).toEqual([]);
  expect(readdirSync(run.dataDir).toSorted()).toEqual(["logs", "redis"]);

  await run.start({ args: ["--no-sample"] });
  const id = jobIdIn(stack.output());
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
  expect(existsSync(path.join(run.dataDir, "stack.lock"))).toBe(true);
  await run.start({ args: ["--no-sample"] });
});

describe("while a stack runs", () => {
  let run: LocalRun;
  let stack: ProcessHandle;
  beforeAll(async () => {
    run = await createLocalRun();
    stack = await run.start();
  }, timeout);
  afterAll(async () => {
    await run[Symbol.asyncDispose]();
  }, timeout);

  test("a service that is killed is reported and started again", { timeout }, async () => {
    process.kill(pidOf(run, "apps/dlq-handler"), "SIGKILL");
    await waitFor(() => stack.output().includes("dlq-handler ended unexpectedly (SIGKILL)"), {
      what: "the report",
    });
    const ready = async () => (await fetch(`http://127.0.0.1:${run.env.DLQ_OPS_PORT}/readyz`)).ok;
    await waitFor(ready, { what: "dlq-handler is ready again", timeoutMs: 30_000 });
  });

  test("a Redis that is killed comes back on its port with its data", { timeout }, async () => {
    process.kill(pidOf(run, "redis-server"), "SIGKILL");
    await waitFor(() => stack.output().includes("redis ended unexpectedly (SIGKILL)"), {
      what: "the report",
    });
    const url = `http://127.0.0.1:${run.env.API_PORT}/jobs/${jobIdIn(stack.output())}`;
    await waitFor(async () => (await fetch(url)).status === 200, {
      what: "the job is there again",
      timeoutMs: 30_000,
    });
  });

  test("another stack in its directory is refused, and told by which process", { timeout }, async () => {
    await using other = await createLocalRun({ FOREBAY_DATA_DIR: run.dataDir });
    await expect(other.start()).rejects.toThrow(
      new RegExp(`already runs from .*process ${pidOf(run, "infra/local/start.ts")}.*FOREBAY_DATA_DIR`),
    );
  });
});

test("two stacks on one Redis with prefixes of their own do not see each other", { timeout }, async () => {
  await using redis = await startRedis();
  const env = { REDIS_URL: redis.url };
  await using left = await createLocalRun({ ...env, FOREBAY_KEY_PREFIX: "left" });
  await using right = await createLocalRun({ ...env, FOREBAY_KEY_PREFIX: "right" });
  const [first] = await Promise.all([left.start(), right.start({ args: ["--no-sample"] })]);
  const id = jobIdIn(first.output());
  expect((await fetch(`http://127.0.0.1:${left.env.API_PORT}/jobs/${id}`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${right.env.API_PORT}/jobs/${id}`)).status).toBe(404);
  expect(existsSync(path.join(left.dataDir, "redis"))).toBe(false);
  expect(isAlive(redis.pid)).toBe(true);
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
