import { addDeadLetterCommand, readAction } from "@forebay/queue-bullmq";
import { startRedis, waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createFixture, type Fixture } from "./dlq-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

test("a stop hands a command that is under way back, and leaves nothing of it locked", async () => {
  const handler = await fixture.startHandler();
  const ids = await fixture.failJobs(4);
  for (const id of ids) await fixture.letterWith(id, { state: "dead" });
  const action = await addDeadLetterCommand(fixture.space, {
    v: 1,
    action: "redrive",
    actor: { kind: "key", key_id: null, tenant: "ops", role: "admin" },
    requested_at: new Date().toISOString(),
    target: { ids },
    rate_per_s: 0.1,
  });
  await waitFor(async () => (await fixture.letters({ state: "redriven" })).length === 1, {
    what: "the first letter is redriven",
  });
  await handler.stop();
  expect(await handler.exited).toEqual({ code: 0, signal: null });
  expect(await readAction(fixture.space, action)).toMatchObject({ finishedAt: undefined });
  expect(await fixture.space.client.keys(`${fixture.space.prefix}:*:lock`)).toEqual([]);
  expect(await fixture.space.queue("{dlq-commands}").getJobCounts()).toMatchObject({ active: 0, waiting: 1 });
});

test("a command that does not parse is refused and stops no other", async () => {
  const handler = await fixture.startHandler();
  const [id = ""] = await fixture.failJobs(1);
  await fixture.letterWith(id, { state: "dead" });
  const broken = await fixture.space.queue("{dlq-commands}").add("redrive", { action: "explode" });
  const done = await fixture.command({ action: "park", target: { ids: [id] } });
  expect(done.counts.changed).toBe(1);
  await waitFor(() => broken.isFailed(), { what: "the broken command is failed" });
  expect(handler.running()).toBe(true);
});

test("the handler outlives a Redis that is killed and comes back, and misses no failure", async () => {
  await using redis = await startRedis();
  await using own = await createFixture(redis.url);
  const handler = await own.startHandler();
  const [before = ""] = await own.failJobs(1);
  await own.letterWith(before, { state: "dead" });
  await redis.kill("SIGKILL");
  await waitFor(async () => (await fetch(`${handler.opsUrl}/readyz`)).status === 503, {
    what: "it says that it is not ready",
    timeoutMs: 20_000,
  });
  await redis.restart();
  const [after = ""] = await own.failJobs(1);
  await own.letterWith(after, { state: "dead" });
  await waitFor(async () => (await fetch(`${handler.opsUrl}/readyz`)).ok, { what: "it is ready again" });
});

test("a stop while Redis is away ends in time", async () => {
  await using redis = await startRedis();
  await using own = await createFixture(redis.url);
  const handler = await own.startHandler({ DLQ_AUTO_REDRIVE: "backend_reset:1@1s" });
  await redis.kill("SIGKILL");
  await waitFor(async () => (await fetch(`${handler.opsUrl}/readyz`)).status === 503, {
    what: "it has noticed",
    timeoutMs: 20_000,
  });
  await handler.stop();
  expect(await handler.exited).toEqual({ code: 0, signal: null });
  await redis.restart();
});

test("a wrong configuration is told whole and the process ends", async () => {
  const start = fixture.startHandler({
    DLQ_AUTO_REDRIVE: "backend_rest:3@60s",
    DLQ_SWEEP_INTERVAL_MS: "soon",
    RETENTION_FAILED_S: "0",
  });
  await expect(start).rejects.toThrow(/DLQ_SWEEP_INTERVAL_MS[\s\S]*"backend_rest" is not a failure code/);
  await expect(start).rejects.toThrow("RETENTION_FAILED_S");
});
