import { announceWorker, countOpenJobs, listJobs, tenantKeys } from "@forebay/queue-bullmq";
import { createJobId, queueTag } from "@forebay/queue-contracts";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createFixture, type Fixture, model } from "./dlq-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const often = { DLQ_UPKEEP_INTERVAL_S: "1" };
const fine = { request: { prompt: "say something" } };

test("ended jobs go when their time is over, also from queues nobody works on", async () => {
  const done = await fixture.failJobs(3, fine);
  const failed = await fixture.failJobs(3);
  const { queueName } = await fixture.job(done[0] ?? "");
  await fixture.startHandler({ ...often, RETENTION_COMPLETED_S: "1", RETENTION_FAILED_S: "2" });
  const queue = fixture.space.queue(queueName);
  await waitFor(
    async () => {
      const { completed, failed: left } = await queue.getJobCounts("completed", "failed");
      return completed === 0 && left === 0;
    },
    { what: "the queue is empty", timeoutMs: 20_000 },
  );
  // What failed was a dead letter first, and stays one.
  expect((await fixture.letters()).map(({ job_id }) => job_id).toSorted()).toEqual(failed.toSorted());
});

test("jobs are kept while their time is not over", async () => {
  const [done = ""] = await fixture.failJobs(1, fine);
  const [failed = ""] = await fixture.failJobs(1);
  await fixture.startHandler(often);
  await fixture.letterWith(failed, { state: "dead" });
  await someRoundsLater();
  expect((await fixture.job(done)).state).toBe("completed");
  expect((await fixture.job(failed)).state).toBe("failed");
});

test("dead letters go when their time is over, with everything that names them", async () => {
  await fixture.startHandler({
    ...often,
    RETENTION_DEAD_LETTERS_S: "2",
    DLQ_AUTO_REDRIVE: "backend_reset:1@1h",
  });
  const [id = ""] = await fixture.failJobs(1);
  await fixture.letterWith(id, { state: "dead" });
  await waitFor(async () => (await fixture.letters()).length === 0, {
    what: "it is gone",
    timeoutMs: 20_000,
  });
  expect(await fixture.space.client.keys(`${fixture.space.prefix}:{dead-letters}:*${id}*`)).toEqual([]);
  for (const key of await fixture.space.client.keys(`${fixture.space.prefix}:{dead-letters}:*`)) {
    if ((await fixture.space.client.type(key)) === "zset") expect.unreachable(`${key} still names it`);
  }
});

test("a tenant's index is mended: ended jobs listed as open, open ones as ended, and ones that are gone", async () => {
  const { client } = fixture.space;
  const [ended = ""] = await fixture.failJobs(1, fine);
  const open = await fixture.submit();
  const gone = createJobId(queueTag({ model, runner: {} }), Date.now() - 3_600_000);
  const young = createJobId(queueTag({ model, runner: {} }));
  const keys = tenantKeys(fixture.space, "acme");
  await client.zrem(keys.ended, ended);
  await client.zrem(keys.open, open);
  for (const id of [ended, gone, young]) await client.zadd(keys.open, 1, id);
  for (const id of [open, gone]) await client.zadd(keys.ended, 1, id);
  await fixture.startHandler(often);
  await waitFor(async () => (await client.zrange(keys.ended, "0", "-1")).join() === ended, {
    what: "the index tells the truth",
    timeoutMs: 20_000,
  });
  // The young one may be a job that is just being written.
  expect((await client.zrange(keys.open, "0", "-1")).toSorted()).toEqual([open, young].toSorted());
  expect(await countOpenJobs(fixture.space, "acme")).toBe(2);
  const { jobs } = await listJobs(fixture.space, fixture.directory, {
    tenant: "acme",
    limit: 10,
    openOnly: true,
    matches: () => true,
  });
  expect(jobs.map(({ id }) => id)).toEqual([open]);
});

test("the gauges everybody reads say how full the queues are", async () => {
  const handler = await fixture.startHandler();
  await fixture.failJobs(2, fine);
  const [id = "", parked = ""] = await fixture.failJobs(2);
  await fixture.letterWith(id, { state: "dead" });
  await fixture.command({ action: "park", target: { ids: [parked] } });
  const { queueName } = await fixture.job(id);
  await fixture.submit();
  await announceWorker(
    fixture.space,
    { worker: "w1", started_at: new Date().toISOString(), backends: [], finished_per_s: {} },
    30,
  );
  const queue = `queue="${queueName}",model="${model}"`;
  const wanted = [
    `forebay_queue_jobs{${queue},state="waiting"} 1`,
    `forebay_queue_jobs{${queue},state="completed"} 2`,
    `forebay_queue_jobs{${queue},state="failed"} 2`,
    `forebay_queue_jobs{${queue},state="active"} 0`,
    `forebay_workers_live 1`,
    `forebay_dead_letters{state="dead"} 1`,
    `forebay_dead_letters{state="parked"} 1`,
    `forebay_dead_letters{state="redriven"} 0`,
    `forebay_dead_letters_total{code="backend_reset"} 2`,
    `forebay_redis_memory_max_bytes 0`,
    `forebay_service_info{service="dlq-handler"`,
  ];
  await waitFor(
    async () => {
      const text = await (await fetch(`${handler.opsUrl}/metrics`)).text();
      const missing = wanted.filter((line) => !text.includes(line));
      if (missing.length > 0) throw new Error(`missing: ${missing.join("; ")}`);
      return (
        /^forebay_queue_oldest_waiting_seconds\{.*\} [0-9.]+$/m.test(text) &&
        /^forebay_redis_memory_used_bytes [1-9]\d+$/m.test(text)
      );
    },
    { what: "the gauges are right" },
  );
  await fixture.command({ action: "redrive", target: { ids: [id] } });
  await waitFor(
    async () =>
      (await (await fetch(`${handler.opsUrl}/metrics`)).text()).includes(
        'forebay_redrives_total{code="backend_reset"} 1',
      ),
    { what: "the redrive is counted" },
  );
});

/** Upkeep that would have removed something has had its chance: it mended something planted since. */
async function someRoundsLater(): Promise<void> {
  const { ended } = tenantKeys(fixture.space, "probe");
  await fixture.space.client.zadd(ended, 1, createJobId("00000000", 1));
  await waitFor(async () => (await fixture.space.client.exists(ended)) === 0, {
    what: "upkeep has come round",
    timeoutMs: 20_000,
  });
}
