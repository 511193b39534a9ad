import { cancelJob, retryJob } from "@forebay/queue-bullmq";
import {
  createJobId,
  deadLetterQueueName,
  deadLetterSchema,
  inferenceJobName,
  queueTag,
} from "@forebay/queue-contracts";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createFixture, type Fixture, model } from "./dlq-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const allDeadLettered = (ids: readonly string[]) =>
  waitFor(
    async () => (await Promise.all(ids.map((id) => fixture.job(id)))).every((job) => job.deadLettered),
    {
      what: "every failed job has its dead letter",
      timeoutMs: 20_000,
    },
  );

test("a job that failed for good becomes a dead letter that says everything known about it", async () => {
  await fixture.startHandler();
  let tries = 0;
  await fixture.openWorker({
    handle: () =>
      ++tries < 3
        ? { kind: "retry", failure: { code: "backend_reset", message: `broke after ${tries}` } }
        : { kind: "retry", failure: { code: "out_of_memory", message: "needs 12 GiB" } },
  });
  const id = await fixture.submit({ lane: "batch", request: { prompt: "a secret" } });
  const letter = await fixture.letterWith(id, { state: "dead" });
  const job = await fixture.ended(id);
  expect(deadLetterSchema.parse(letter)).toEqual(letter);
  expect(letter).toMatchObject({
    job_id: id,
    queue: job.queueName,
    tenant: "acme",
    type: "generate",
    model,
    lane: "batch",
    failure: { code: "out_of_memory", message: "needs 12 GiB" },
    attempts_made: 3,
    worker: "test-worker",
    redrives: 0,
    payload: { request: { prompt: "a secret" } },
    created_at: job.createdAt.toISOString(),
    first_failed_at: job.finishedAt?.toISOString(),
    last_failed_at: job.finishedAt?.toISOString(),
  });
  expect(letter.stack[0]).toContain("backend_reset: broke after 1");
  expect(
    letter.attempts.map(({ code, message, backend, worker }) => [code, message, backend, worker]),
  ).toEqual([
    ["backend_reset", "broke after 1", "gpu-1", "test-worker"],
    ["backend_reset", "broke after 2", "gpu-1", "test-worker"],
    ["out_of_memory", "needs 12 GiB", "gpu-1", "test-worker"],
  ]);
  expect(letter.attempts.every(({ ended_at }) => ended_at !== undefined)).toBe(true);
});

test("the dead letter is a failed job of its own queue, for whoever looks with BullMQ", async () => {
  const [id = ""] = await fixture.failJobs(1);
  await fixture.startHandler();
  const letter = await fixture.letterWith(id, { state: "dead" });
  const queue = fixture.space.queue(deadLetterQueueName);
  expect(await queue.getJobCounts()).toMatchObject({ failed: 1, waiting: 0, active: 0, prioritized: 0 });
  const [job] = await queue.getJobs(["failed"]);
  expect(job).toMatchObject({
    id,
    data: letter,
    failedReason: "backend_reset: the connection broke after 17 tokens",
    finishedOn: Date.parse(letter.last_failed_at),
    timestamp: Date.parse(letter.created_at),
  });
  expect(await job?.getState()).toBe("failed");
});

test("jobs that failed while no handler ran become dead letters when one starts, an hour later too", async () => {
  const ids = await fixture.failJobs(30);
  for (const id of ids) await moveFailure(id, -3_600_000);
  await fixture.startHandler();
  await allDeadLettered(ids);
  expect((await fixture.letters()).map(({ job_id }) => job_id).toSorted()).toEqual(ids.toSorted());
});

test("failures nobody was told of become dead letters: events only wake", async () => {
  await fixture.startHandler();
  const { client } = fixture.space;
  // The handler loses its subscription again and again; what is published meanwhile reaches nobody.
  const cut = async () => client.call("CLIENT", "KILL", "TYPE", "pubsub");
  const ids: string[] = [];
  for (let round = 0; round < 5; round++) {
    await cut();
    ids.push(...(await fixture.failJobs(4)));
  }
  await allDeadLettered(ids);
  expect(await fixture.letters()).toHaveLength(20);
});

test.each([
  ["a minute behind", -60_000],
  ["a minute ahead", 60_000],
])("failures by a worker whose clock is %s become dead letters at once", async (_, offsetMs) => {
  // The handler has swept to the end before, so that only what its window shows is found.
  const before = await fixture.failJobs(3);
  await fixture.startHandler();
  await allDeadLettered(before);
  await fixture.startSkewedWorker(offsetMs);
  const ids = await Promise.all(Array.from({ length: 10 }, () => fixture.submit()));
  await allDeadLettered(ids);
  const letter = await fixture.letter(ids[0] ?? "");
  expect(letter.worker).toBe(`skewed-${offsetMs}`);
  expect(Math.abs(Date.parse(letter.last_failed_at) - Date.now())).toBeGreaterThan(30_000);
});

test("a job redriven from one clock to another is told apart from its first failure", async () => {
  await fixture.startHandler();
  await fixture.directory.ensure({ model, runner: {} });
  const worker = await fixture.startSkewedWorker(60_000);
  const id = await fixture.submit();
  const first = await fixture.letterWith(id, { state: "dead" });
  await worker.stop();
  await fixture.startSkewedWorker(-60_000);
  await fixture.command({ action: "redrive", target: { ids: [id] } });
  const second = await fixture.letterWith(id, { state: "dead", redrives: 1 });
  expect(second.last_failed_at < first.last_failed_at).toBe(true);
  expect(second.first_failed_at).toBe(second.last_failed_at);
  expect(second.attempts.map(({ worker: by }) => by)).toEqual(["skewed-60000", "skewed--60000"]);
});

test("cancelled and expired jobs are no dead letters, timed-out ones are", async () => {
  const timedOut = await fixture.submit({ request: { prompt: "fail timed_out ran longer than 5 s" } });
  const expired = await fixture.submit({ request: { prompt: "fail expired began too late" } });
  const cancelled = await fixture.submit();
  const { queueName } = await fixture.job(cancelled);
  expect(await cancelJob(fixture.space, { id: cancelled, queueName, tenant: "acme" })).toBe("cancelled");
  await fixture.openWorker();
  await fixture.ended(timedOut);
  await fixture.ended(expired);
  await fixture.startHandler();
  await fixture.letterWith(timedOut, { state: "dead" });
  expect((await fixture.letters()).map(({ job_id }) => job_id)).toEqual([timedOut]);
});

test.each([
  ["another version", { v: 2, tenant: "acme", model: "llama3.2:3b", wish: "more" }, "acme"],
  ["no object", "words", "unknown"],
  ["nothing", null, "unknown"],
])(
  "a payload that does not parse is a dead letter with the payload as it is: %s",
  async (_, payload, tenant) => {
    const affinity = { model, runner: {} };
    const queueName = await fixture.directory.ensure(affinity);
    const id = createJobId(queueTag(affinity));
    await fixture.space.queue(queueName).add(inferenceJobName, payload, { jobId: id });
    await fixture.openWorker();
    await fixture.startHandler();
    const letter = await fixture.letterWith(id, { state: "dead" });
    expect(letter).toMatchObject({ failure: { code: "invalid_payload" }, tenant, model, payload });
  },
);

test("a payload that is no JSON any more is kept as text", async () => {
  const [id = ""] = await fixture.failJobs(1);
  const { queueName } = await fixture.job(id);
  await fixture.space.client.hset(
    fixture.space.jobKey(queueName, id),
    "data",
    "{damaged",
    "starts",
    "{damaged",
  );
  await fixture.startHandler();
  expect(await fixture.letterWith(id, { state: "dead" })).toMatchObject({
    payload: "{damaged",
    attempts: [],
  });
});

test("a failed job whose id is not Forebay's stops nobody else's dead letter", async () => {
  const queueName = await fixture.directory.ensure({ model, runner: {} });
  const foreign = await fixture.space.queue(queueName).add("infer", { v: 1 });
  const [id = ""] = await fixture.failJobs(1);
  const handler = await fixture.startHandler();
  await fixture.letterWith(id, { state: "dead" });
  expect(await fixture.letters()).toHaveLength(1);
  expect(await foreign.getState()).toBe("failed");
  await waitFor(() => handler.output().includes("failed jobs whose ids are not Forebay's"), {
    what: "it is told",
  });
});

test("a failure that was put back by its owner waits for no decision any more", async () => {
  const ids = await fixture.failJobs(2);
  const handler = await fixture.startHandler();
  await allDeadLettered(ids);
  const [retried = "", other = ""] = ids;
  await retryJob(fixture.space, {
    id: retried,
    queueName: (await fixture.job(retried)).queueName,
    tenant: "acme",
  });
  await handler.stop();
  await fixture.startHandler();
  await fixture.letterWith(retried, { state: "redriven", redrives: 1 });
  expect((await fixture.letter(other)).state).toBe("dead");
});

/** As if the job had failed at another time. */
async function moveFailure(id: string, byMs: number): Promise<void> {
  const { queueName } = await fixture.job(id);
  const key = fixture.space.jobKey(queueName, id);
  const at = Number(await fixture.space.client.hget(key, "finishedOn")) + byMs;
  await fixture.space.client.hset(key, "finishedOn", at);
  await fixture.space.client.zadd(fixture.space.queue(queueName).toKey("failed"), at, id);
}
