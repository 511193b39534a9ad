import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { startRedis, waitFor } from "@forebay/test-harness";
import { createFixture, type Fixture } from "./worker-fixture.ts";

const quickLocks = { WORKER_LOCK_MS: "1000", WORKER_STALLED_CHECK_MS: "500" };
const slow = { request: { prompt: "A long story", options: { num_predict: 60, seed: 1 } } };
const endless = { request: { prompt: "A very long story", options: { num_predict: 4_000, seed: 1 } } };

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"), { tokensPerS: 50 });
});
afterEach(() => fixture[Symbol.asyncDispose]());

test("a job whose worker is killed is finished by another one, once", async () => {
  const first = await fixture.startWorker(quickLocks);
  const id = await fixture.submit(slow);
  await waitFor(() => fixture.simulator.stats().active === 1, { what: "the call has begun" });
  await first.kill("SIGKILL");
  await fixture.startWorker(quickLocks);
  const job = await fixture.ended(id);
  expect(job.state).toBe("completed");
  expect(job.starts.map((start) => start.outcome)).toEqual([undefined, "completed"]);
  expect(job.attemptsMade).toBe(1);
});

test("a job that outlives too many workers ends as worker_lost", async () => {
  const env = { ...quickLocks, DELIVERY_WORKER_LOSSES_MAX: "1" };
  const id = await fixture.submit(endless);
  for (let start = 1; start <= 2; start++) {
    const worker = await fixture.startWorker(env);
    await waitFor(async () => (await fixture.read(id)).starts.length === start, {
      what: `start ${start}`,
      timeoutMs: 20_000,
    });
    await worker.kill("SIGKILL");
  }
  await fixture.startWorker(env);
  const job = await fixture.ended(id);
  expect(job).toMatchObject({ state: "failed", failure: { code: "worker_lost" } });
});

test("a worker told to stop finishes what it has begun and takes nothing new", async () => {
  const worker = await fixture.startWorker({ WORKER_SHUTDOWN_GRACE_S: "20" });
  const [begun, next] = [await fixture.submit(slow), await fixture.submit(slow)];
  await fixture.inState(begun, "active");
  await worker.stop();
  expect((await fixture.read(begun)).state).toBe("completed");
  expect(await fixture.read(next)).toMatchObject({ state: "waiting", starts: [] });
});

test("a job interrupted by shutdown keeps its attempts and its place", async () => {
  const worker = await fixture.startWorker({ WORKER_SHUTDOWN_GRACE_S: "0.2" });
  const id = await fixture.submit(endless, { attempts: 1 });
  await fixture.submit(slow);
  await waitFor(() => fixture.simulator.stats().active === 1, { what: "the call has begun" });
  await worker.stop();
  const job = await fixture.read(id);
  expect(job).toMatchObject({ state: "waiting", position: 0, attemptsMade: 0 });
  expect(job.starts.map((start) => start.outcome)).toEqual(["interrupted"]);
  await waitFor(() => fixture.simulator.stats().active === 0, { what: "the slot is free again" });
});

test("a worker frozen for longer than its lock writes nothing when it wakes", async () => {
  const frozen = await fixture.startWorker(quickLocks);
  const id = await fixture.submit(slow);
  await waitFor(() => fixture.simulator.stats().active === 1, { what: "the call has begun" });
  await frozen.kill("SIGSTOP");
  const other = await fixture.startWorker(quickLocks);
  const job = await fixture.ended(id);
  expect(job.state).toBe("completed");
  await frozen.kill("SIGCONT");
  const metrics = async (): Promise<string> => (await fetch(`${frozen.opsUrl}/metrics`)).text();
  await waitFor(async () => /forebay_job_locks_lost_total\{[^}]*\} 1/.test(await metrics()), {
    what: "the frozen worker noticed that its lock is gone",
  });
  expect((await fixture.read(id)).starts.map((start) => start.outcome)).toEqual([undefined, "completed"]);
  expect(await fixture.read(id)).toMatchObject({ state: "completed", attemptsMade: 1 });
  await other.stop();
});

test("Redis killed while jobs run and while they end: each ends once, completed", async () => {
  await using redis = await startRedis();
  await using own = await createFixture(redis.url, { tokensPerS: 200, numParallel: 4 });
  await own.startWorker({ ...quickLocks, WORKER_LOCK_MS: "5000", WORKER_CONCURRENCY: "4" });
  const ids = await Promise.all(Array.from({ length: 40 }, () => own.submit(slow)));
  for (let kill = 0; kill < 3; kill++) {
    const before = own.simulator.stats().requests;
    await waitFor(() => own.simulator.stats().requests > before + 3, { what: "more jobs have begun" });
    await redis.kill("SIGKILL");
    await redis.restart();
  }
  const jobs = await Promise.all(ids.map((id) => own.ended(id)));
  expect(jobs.map((job) => job.state)).toEqual(ids.map(() => "completed"));
  expect(jobs.every((job) => job.attemptsMade === 1)).toBe(true);
}, 90_000);

test("a worker told to stop while Redis is away does so, cleanly", async () => {
  await using redis = await startRedis();
  await using own = await createFixture(redis.url);
  const worker = await own.startWorker();
  await redis.kill("SIGKILL");
  await worker.stop(40_000);
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  await redis.restart();
});
