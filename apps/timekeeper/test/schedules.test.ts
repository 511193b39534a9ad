import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import {
  closeRedis,
  createQueueDirectory,
  createScheduleId,
  createScheduleStore,
  openQueueSpace,
  openRedis,
  type QueueSpace,
  type Schedule,
  type ScheduleStore,
  waitForRedis,
} from "@forebay/queue-bullmq";
import { inferenceJobSchema } from "@forebay/queue-contracts";
import { startService, waitFor } from "@forebay/test-harness";

const redisUrl = inject("redisUrl");
const prefix = `timekeeper-${randomBytes(4).toString("hex")}`;
const stack = new AsyncDisposableStack();
let space: QueueSpace;
let store: ScheduleStore;

beforeAll(async () => {
  const client = openRedis({ url: redisUrl, prefix }, "consumer", "test", () => undefined);
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, 10_000);
  space = openQueueSpace(client, prefix);
  stack.defer(async () => {
    await space.close();
    await client.unlink(...(await client.keys(`${prefix}:*`)), `${prefix}:none`);
  });
  store = createScheduleStore(space);
});
afterAll(() => stack.disposeAsync());

function scheduleOf(fields: Partial<Schedule>): Schedule {
  const now = new Date().toISOString();
  const job = { v: 1, type: "generate", tenant: "acme", model: "m:1", request: { prompt: "x" } };
  return {
    v: 1,
    id: createScheduleId(),
    tenant: "acme",
    name: "pulse",
    rhythm: { every_ms: 1_000 },
    missed: "skip",
    paused: false,
    job: inferenceJobSchema.parse(job),
    attempts: 1,
    created_at: now,
    updated_at: now,
    ...fields,
  };
}

const env = { REDIS_URL: redisUrl, FOREBAY_KEY_PREFIX: prefix, TIMEKEEPER_ASSERT_MS: "200" };

async function jobIds(): Promise<string[]> {
  const [entry] = await createQueueDirectory(space).list();
  const waiting = entry ? await space.queue(entry.name).getJobs(["prioritized", "waiting"]) : [];
  return waiting.map((job) => String(job.id));
}

test("two timekeepers start each run once, also when one is killed", async () => {
  const schedule = scheduleOf({});
  await store.save(schedule);
  const first = await startService("timekeeper", env);
  await using second = await startService("timekeeper", env);
  await waitFor(async () => (await jobIds()).length >= 2, { what: "two runs" });
  await first.kill("SIGKILL");
  const before = (await jobIds()).length;
  await waitFor(async () => (await jobIds()).length >= before + 2, {
    what: "two more runs",
    timeoutMs: 75_000,
  });
  await store.remove(schedule.id);
  await second.stop();
  // An id begins with the time its run was due: no time has two.
  const ids = await jobIds();
  expect(new Set(ids.map((id) => id.slice(1, 10))).size).toBe(ids.length);
}, 120_000);

test("how late the latest schedule is can be seen; a paused one is never late", async () => {
  const late = scheduleOf({
    rhythm: { cron: "0 0 1 1 *", tz: "UTC" },
    updated_at: "2020-06-01T00:00:00.000Z",
  });
  await store.save(late);
  await store.save(scheduleOf({ paused: true, updated_at: "2020-06-01T00:00:00.000Z" }));
  await using timekeeper = await startService("timekeeper", env);
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${timekeeper.opsUrl}/metrics`)).text();
    return Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1]);
  };
  await waitFor(async () => (await metric("forebay_schedule_overdue_seconds")) > 1e7, {
    what: "it is overdue",
  });
  expect(await metric('forebay_schedules\\{state="paused"\\}')).toBe(1);
  await store.remove(late.id);
  await waitFor(async () => (await metric("forebay_schedule_overdue_seconds")) === 0, {
    what: "none is overdue",
  });
});

test("a run whose time passed while no timekeeper ran is started by the next one, by calendar or by interval", async () => {
  const dueAt = new Date(Date.now() + 2_000);
  dueAt.setUTCMilliseconds(0);
  const cron = `${dueAt.getUTCSeconds()} ${dueAt.getUTCMinutes()} ${dueAt.getUTCHours()} * * *`;
  const rhythms = [{ cron, tz: "UTC" }, { every_ms: 2_000 }] as const;
  const schedules = rhythms.map((rhythm) => scheduleOf({ rhythm, missed: "catch_up" }));
  for (const schedule of schedules) await store.save(schedule);
  await waitFor(() => Date.now() > dueAt.getTime() + 3_000, { what: "its time has passed" });
  await using _timekeeper = await startService("timekeeper", env);
  for (const { id } of schedules) {
    const run = await waitFor(() => store.readLastRun(id), { what: "it ran" });
    expect(run).toMatchObject({ outcome: "started" });
    expect(Date.parse(run.due_at)).toBeLessThan(dueAt.getTime() + 3_000);
    await store.remove(id);
  }
});
