import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { waitFor } from "@forebay/test-harness";
import { createLiveStack, ended, get, type LiveStack, model, post, submit } from "./live-fixture.ts";

const job = { model, prompt: "pulse", options: { num_predict: 3 }, metadata: { from: "schedule" } };

let live: LiveStack;
let api: string;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"));
  const [first] = await Promise.all([
    live.startApi(),
    live.startWorker(),
    live.startTimekeeper({ TIMEKEEPER_ASSERT_MS: "200" }),
  ]);
  api = first.url;
  await ended(api, await submit(api));
});
afterAll(() => live[Symbol.asyncDispose]());

const runs = async (): Promise<number> => (await get(api, "/jobs?metadata[from]=schedule")).body.jobs.length;

test("a schedule runs again and again, shows when, and stops when it is paused", async () => {
  const created = await post(api, "/schedules", { name: "pulse", every_ms: 1_000, job });
  expect(created.status).toBe(201);
  const id = created.body.schedule_id;
  expect(created.body.next_runs).toHaveLength(3);
  await waitFor(async () => (await runs()) >= 2, { what: "it ran twice" });
  const seen = (await get(api, `/schedules/${id}`)).body;
  expect(seen.last_run).toMatchObject({ outcome: "started" });
  expect((await ended(api, seen.last_run?.job_id ?? "")).state).toBe("completed");
  const paused = await post(api, `/schedules/${id}/pause`);
  expect(paused.body).toMatchObject({ paused: true, next_runs: [] });
  const byHand = await post(api, `/schedules/${id}/run`);
  expect(byHand.status).toBe(202);
  expect((await get(api, `/schedules/${id}`)).body.last_run).toEqual(
    expect.objectContaining({ outcome: "by_hand", job_id: byHand.body.job_id }),
  );
  expect((await fetch(`${api}/schedules/${id}`, { method: "DELETE" })).status).toBe(204);
  expect((await get(api, `/schedules/${id}`)).body.code).toBe("schedule_not_found");
});

test("a cron expression is read in its time zone", async () => {
  const created = await post(api, "/schedules", {
    name: "nightly",
    cron: "30 3 * * *",
    tz: "Asia/Kolkata",
    paused: false,
    job,
  });
  expect(created.body.next_runs.every((time) => time.endsWith("T22:00:00.000Z"))).toBe(true);
  await fetch(`${api}/schedules/${created.body.schedule_id}`, { method: "DELETE" });
});

test("what BullMQ forgot of a schedule is put back", async () => {
  const { openRedis, closeRedis } = await import("@forebay/queue-bullmq");
  const prefix = live.env["FOREBAY_KEY_PREFIX"] ?? "";
  const redis = openRedis({ url: live.env["REDIS_URL"] ?? "", prefix }, "consumer", "test", () => undefined);
  const created = await post(api, "/schedules", { name: "forgotten", every_ms: 1_000, job });
  await redis.unlink(await redis.keys(`${prefix}:{schedules}:*`));
  await closeRedis(redis);
  const before = await runs();
  await waitFor(async () => (await runs()) > before + 1, { what: "it runs again" });
  await fetch(`${api}/schedules/${created.body.schedule_id}`, { method: "DELETE" });
});

test.each([
  [{ cron: "0 3 * * *", every_ms: 1_000 }, "every_ms"],
  [{}, "cron"],
  [{ cron: "never" }, "cron"],
  [{ cron: "0 0 31 2 *" }, "cron"],
  [{ cron: "0 3 * * *", tz: "Mars/Olympus" }, "tz"],
  [{ tz: "UTC", every_ms: 1_000 }, "tz"],
  [{ every_ms: 10 }, "every_ms"],
  [{ every_ms: 5_000, job: { model } }, "job.prompt"],
  [{ every_ms: 5_000, job: { ...job, run_at: "2026-01-01T00:00:00Z" } }, "job.run_at"],
  [{ every_ms: 5_000, colour: "red" }, "colour"],
])("%j is refused by name", async (fields, path) => {
  const answer = await post(api, "/schedules", { name: "bad", job, ...fields });
  expect(answer.status).toBe(422);
  expect(answer.body).toMatchObject({ errors: [{ path }] });
});
