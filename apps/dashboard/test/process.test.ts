import { createKeyStore } from "@forebay/access-keys";
import { closeRedis, openQueueSpace, openRedis, waitForRedis } from "@forebay/queue-bullmq";
import { freePort, startProcess, startRedis, startService } from "@forebay/test-harness";
import { fileURLToPath } from "node:url";
import { expect, inject, it } from "vitest";
import { putJob } from "./put-job.ts";
import { createVisitor } from "./visitor.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

const away = { timeout: 10_000 };

/** Starts it only to see it fail; resolves with what it said. */
async function failedStart(env: Record<string, string>): Promise<string> {
  const ports = { DASHBOARD_PORT: String(await freePort()), DASHBOARD_OPS_PORT: String(await freePort()) };
  const started = startProcess({ file: main, env: { ...ports, ...env }, ready: /dashboard listens/ });
  return started.then(
    async (process) => {
      await process.stop();
      return "it started";
    },
    (error: Error) => error.message,
  );
}

it("refuses to start where others can reach it while there are no keys, and says how to make one", async () => {
  const said = await failedStart({
    REDIS_URL: inject("redisUrl"),
    FOREBAY_KEY_PREFIX: `dashboard-none-${process.pid}`,
    DASHBOARD_HOST: "0.0.0.0",
  });
  expect(said).toContain("DASHBOARD_HOST is 0.0.0.0");
  expect(said).toContain("forebay keys create");
});

it("names every variable that is wrong at once", async () => {
  const said = await failedStart({
    DASHBOARD_BASE_PATH: "dashboard",
    DASHBOARD_READ_ONLY: "no",
    DASHBOARD_SESSION_SECRET: "short",
    DASHBOARD_SESSION_HOURS: "-1",
  });
  for (const name of ["BASE_PATH", "READ_ONLY", "SESSION_SECRET", "SESSION_HOURS"]) {
    expect(said).toContain(`DASHBOARD_${name}`);
  }
});

it("says so while Redis is away, is back by itself, and never logs a key or a prompt", async () => {
  await using redis = await startRedis();
  const client = openRedis({ url: redis.url, prefix: "forebay" }, "producer", "test", () => undefined);
  await waitForRedis(client, 5_000);
  const space = openQueueSpace(client, "forebay");
  const { key } = await createKeyStore(space).create({ name: "ops", tenant: "platform", role: "operator" });
  await putJob(space, { prompt: "xyzzy-secret" });
  await space.close();
  await closeRedis(client);

  await using dashboard = await startService("dashboard", { REDIS_URL: redis.url, LOG_LEVEL: "trace" });
  const somebody = createVisitor(dashboard.url ?? "");
  await somebody.logIn(`${key}-mistyped`);
  await somebody.logIn(key);
  expect((await somebody.get("/api/queues?activeQueue=llama3.2%3A3b")).status).toBe(200);

  await redis.kill("SIGKILL");
  await expect.poll(async () => (await fetch(`${dashboard.opsUrl}/readyz`)).status, away).toBe(503);
  // Who is logged in is believed for a second.
  await expect.poll(async () => (await somebody.get("/")).status, away).toBe(503);
  expect((await somebody.get("/")).text).toContain("Redis does not answer");
  expect((await somebody.get("/api/queues")).status).toBe(503);
  expect((await fetch(`${dashboard.opsUrl}/healthz`)).status).toBe(200);
  await redis.restart();
  await expect.poll(async () => (await somebody.get("/")).status, away).toBe(200);
  expect((await fetch(`${dashboard.opsUrl}/readyz`)).status).toBe(200);

  const metrics = await (await fetch(`${dashboard.opsUrl}/metrics`)).text();
  expect(metrics).toContain('forebay_dashboard_logins_total{outcome="ok"} 1');
  expect(metrics).toContain('forebay_dashboard_logins_total{outcome="unknown"} 1');
  await dashboard.stop();
  expect(await dashboard.exited).toEqual({ code: 0, signal: null });
  expect(dashboard.output()).toContain("logged in");
  expect(dashboard.output()).not.toContain(key);
  expect(dashboard.output()).not.toContain("xyzzy-secret");
});
