import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startRedis, waitFor } from "@forebay/test-harness";
import {
  createLiveStack,
  ended,
  followToEnd,
  get,
  type LiveStack,
  model,
  post,
  submit,
} from "./live-fixture.ts";

const long = { num_predict: 20_000, seed: 1 };

let live: LiveStack;
let api: string;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { tokensPerS: 100 });
  const [first] = await Promise.all([live.startApi(), live.startWorker(), live.startTimekeeper()]);
  api = first.url;
});
afterAll(() => live[Symbol.asyncDispose]());

test("a delayed job waits for its time, says so, and then runs", async () => {
  const before = Date.now();
  const id = await submit(api, { delay_ms: 1_500 });
  const { body } = await get(api, `/jobs/${id}`);
  expect(body).toMatchObject({ state: "delayed" });
  expect(Date.parse(body.run_at ?? "")).toBeGreaterThanOrEqual(before + 1_400);
  const done = await ended(api, id);
  expect(done.state).toBe("completed");
  expect(Date.parse(done.started_at ?? "")).toBeGreaterThanOrEqual(before + 1_400);
});

test("run_at in the past starts at once; a delayed job can be cancelled", async () => {
  const id = await submit(api, { run_at: "2020-01-01T00:00:00Z" });
  expect((await ended(api, id)).state).toBe("completed");
  const later = await submit(api, { run_at: new Date(Date.now() + 3_600_000).toISOString() });
  expect((await post(api, `/jobs/${later}/cancel`)).body.state).toBe("cancelled");
});

test("a job not begun by its start deadline expires without ever reaching Ollama", async () => {
  const blocker = await submit(api, { options: long });
  await waitFor(() => live.simulator.stats().active > 0, { what: "the only slot is taken" });
  const id = await submit(api, { prompt: "too late", start_deadline_s: 0.5 });
  const events = await followToEnd(api, id);
  expect(events.at(-1)?.event).toBe("expired");
  await post(api, `/jobs/${blocker}/cancel`);
  expect(live.simulator.requests().filter((request) => JSON.stringify(request).includes("too late"))).toEqual(
    [],
  );
  const again = await post(api, `/jobs/${id}/retry`);
  expect(again.status).toBe(202);
  // Put back by hand: whoever does that wants it to run.
  expect((await ended(api, id)).state).toBe("completed");
});

test("a job that runs too long is timed out, and its slot is free", async () => {
  const id = await submit(api, { options: long, timeout_s: 0.5 });
  const events = await followToEnd(api, id);
  expect(events.at(-1)?.event).toBe("timed_out");
  await waitFor(() => live.simulator.stats().active === 0, { what: "the slot is free" });
});

test("retries count into the timeout", async () => {
  live.simulator.setFault({
    kind: "500",
    message: "llm busy - no slots available",
    match_prompt: "retry me",
  });
  const id = await submit(api, { prompt: "retry me", attempts: 10, timeout_s: 2 });
  const job = await ended(api, id);
  expect(job).toMatchObject({ state: "timed_out" });
  expect(job.attempts_made).toBeLessThan(10);
});

test("deadlines hold with every worker dead, and when they pass while Redis is down", async () => {
  await using redis = await startRedis();
  await using own = await createLiveStack(redis.url, { tokensPerS: 100 });
  const { url } = await own.startApi();
  const worker = await own.startWorker({ WORKER_LOCK_MS: "1000", WORKER_STALLED_CHECK_MS: "500" });
  await own.startTimekeeper();
  const runsLong = await submit(url, { options: long, timeout_s: 3 });
  await waitFor(() => own.simulator.stats().active > 0, { what: "the call has begun" });
  const waits = await submit(url, { start_deadline_s: 1 });
  await worker.kill("SIGKILL");
  await redis.kill("SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await redis.restart();
  expect(await ended(url, waits)).toMatchObject({ state: "expired" });
  expect(await ended(url, runsLong)).toMatchObject({ state: "timed_out" });
}, 60_000);

test.each([
  [{ delay_ms: -1 }, "delay_ms"],
  [{ delay_ms: 1.5 }, "delay_ms"],
  [{ run_at: "tomorrow" }, "run_at"],
  [{ run_at: "2026-01-01T00:00:00Z", delay_ms: 5 }, "delay_ms"],
  [{ run_at: "2999-01-01T00:00:00Z" }, "run_at"],
  [{ start_deadline_s: 0 }, "start_deadline_s"],
  [{ timeout_s: "1" }, "timeout_s"],
  [{ timeout_s: 1e300 }, "timeout_s"],
])("%j is refused by name", async (fields, path) => {
  const answer = await post(api, "/jobs", { model, prompt: "x", ...fields });
  expect(answer.status).toBe(422);
  expect(answer.body).toMatchObject({ code: "invalid_body", errors: [{ path }] });
});
