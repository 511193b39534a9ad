import { createJobId, type FailureCode } from "@forebay/queue-contracts";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { endWaitingJob, readJob, readJobOn, recordMove, removeJob } from "../src/index.ts";
import {
  completes,
  createFixture,
  discards,
  type Fixture,
  gate,
  type Place,
  resultSaying,
  retries,
} from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

describe("a job is read in every state it can have", () => {
  test("waiting, with the number of jobs before it", async () => {
    const first = await fixture.submit();
    const second = await fixture.submit();
    const urgent = await fixture.submit({ fields: { lane: "interactive" } });
    expect(await fixture.read(first.id)).toMatchObject({
      state: "waiting",
      queueName: first.queueName,
      attemptsMade: 0,
      attemptsMax: 3,
      starts: [],
      tokens: 0,
      result: undefined,
      failure: undefined,
      finishedAt: undefined,
    });
    const positions = [urgent, first, second].map(async ({ id }) => (await fixture.read(id)).position);
    expect(await Promise.all(positions)).toEqual([0, 1, 2]);
  });

  test("waiting behind a job another team put without a priority", async () => {
    const { id, queueName } = await fixture.submit();
    const other = createJobId(id.slice(26));
    await fixture.space.queue(queueName).add("infer", {}, { jobId: other });
    expect(await fixture.read(other)).toMatchObject({ state: "waiting", position: 0 });
    expect(await fixture.read(id)).toMatchObject({ state: "waiting", position: 1 });
  });

  test("delayed", async () => {
    const { id } = await fixture.submit({ delayMs: 60_000 });
    expect(await fixture.read(id)).toMatchObject({ state: "delayed", position: undefined });
  });

  test("active, with its start, its backend and its tokens", async () => {
    const { opened, open } = gate();
    await fixture.consume(
      async (delivery) => {
        await delivery.recordBackend("gpu-1");
        await delivery.reportProgress(17);
        await opened;
        return completes();
      },
      { worker: "w-1" },
    );
    const { id } = await fixture.submit();
    const job = await fixture.until(id, "progress is seen", (seen) => seen.tokens > 0);
    expect(job).toMatchObject({ state: "active", tokens: 17, position: undefined });
    expect(job.starts).toMatchObject([{ worker: "w-1", backend: "gpu-1" }]);
    expect(job.starts[0]?.ended_at).toBeUndefined();
    open();
    await fixture.ended(id);
  });

  test("completed, with its result and what it cost", async () => {
    await fixture.consume(() => completes("Blue."));
    const job = await fixture.ended((await fixture.submit()).id);
    expect(job).toMatchObject({ state: "completed", attemptsMade: 1, result: resultSaying("Blue.") });
    expect(job.finishedAt?.getTime()).toBeGreaterThanOrEqual(job.createdAt.getTime());
    expect(job.starts).toMatchObject([{ outcome: "completed", gpu_ms: 7 }]);
  });

  test("completed after a failed attempt, which is history and not its failure", async () => {
    let runs = 0;
    await fixture.consume(() => (++runs === 1 ? retries() : completes()));
    const job = await fixture.ended((await fixture.submit()).id);
    expect(job).toMatchObject({ state: "completed", failure: undefined, attemptsMade: 2 });
    expect(job.starts.map(({ code }) => code)).toEqual(["backend_reset", undefined]);
  });

  test.each([
    ["invalid_request", "failed"],
    ["cancelled", "cancelled"],
    ["expired", "expired"],
  ] as const)("ended as %s, which is the state %s", async (code, state) => {
    await fixture.consume(() => discards(code));
    const job = await fixture.ended((await fixture.submit()).id);
    expect(job).toMatchObject({ state, failure: { code, message: "no good" }, result: undefined });
    expect(job.starts).toMatchObject([{ outcome: "discard", code, message: "no good" }]);
  });

  test.each(["cancelled", "expired", "timed_out"] satisfies FailureCode[])(
    "ended as %s without ever having begun",
    async (code) => {
      const place = await fixture.submit();
      await endWaitingJob(fixture.space, place, { code, message: "enough" });
      expect(await fixture.read(place.id)).toMatchObject({ state: code, starts: [], attemptsMade: 0 });
    },
  );

  test("with a payload that does not parse", async () => {
    const { id, queueName } = await fixture.submit();
    await fixture.space.client.hset(fixture.space.jobKey(queueName, id), "data", '{"prompt":7}');
    expect(await fixture.read(id)).toMatchObject({
      state: "waiting",
      job: undefined,
      payload: { prompt: 7 },
    });
    await fixture.space.client.hset(fixture.space.jobKey(queueName, id), "data", "no JSON");
    expect(await fixture.read(id)).toMatchObject({ state: "waiting", job: undefined, payload: undefined });
  });

  test("with a history that is damaged", async () => {
    const { id, queueName } = await fixture.submit();
    await fixture.space.client.hset(fixture.space.jobKey(queueName, id), "starts", "no JSON\n");
    expect(await fixture.read(id)).toMatchObject({ state: "waiting", starts: [] });
    await fixture.consume(() => completes());
    expect(await fixture.ended(id)).toMatchObject({ state: "completed", starts: [{ outcome: "completed" }] });
  });
});

test("a job that is read while it moves is told whole at every moment", async () => {
  const places = [];
  for (let i = 0; i < 20; i++) places.push(await fixture.submit());
  await fixture.consume(({ attemptsMade }) => (attemptsMade === 0 ? retries() : completes("Blue.")), {
    concurrency: 3,
  });
  const seen = new Set<string>();
  const follow = async ({ id, queueName }: Place): Promise<void> => {
    for (;;) {
      const job = await readJobOn(fixture.space, queueName, id);
      seen.add(job?.state ?? "gone");
      expect(job?.result !== undefined).toBe(job?.state === "completed");
      expect(job?.finishedAt !== undefined).toBe(job?.state === "completed");
      if (job?.state === "completed") return;
    }
  };
  await Promise.all(places.map(follow));
  expect(seen).not.toContain("gone");
  expect([...seen]).toEqual(expect.arrayContaining(["waiting", "completed"]));
});

describe("there is no job", () => {
  test.each([
    ["an id of a queue nobody has", createJobId("zzzzzzzz")],
    ["a text that is no id", "17"],
    ["nothing", ""],
    ["a key of the queue", "meta"],
  ])("under %s", async (_, id) => {
    expect(await readJob(fixture.space, fixture.directory, id)).toBeUndefined();
  });

  test("under an id of a queue that is there", async () => {
    const { id } = await fixture.submit();
    const unknown = createJobId(id.slice(26));
    expect(await readJob(fixture.space, fixture.directory, unknown)).toBeUndefined();
  });

  test("where a late write left only fields of ours", async () => {
    const place = await fixture.submit();
    await removeJob(fixture.space, place);
    await fixture.space.client.hset(fixture.space.jobKey(place.queueName, place.id), "starts", "");
    expect(await readJob(fixture.space, fixture.directory, place.id)).toBeUndefined();
  });
});

test("a job that moved to another queue is found there under its old id", async () => {
  const place = await fixture.submit();
  const { queueName: other } = await fixture.submit({ fields: { model: "qwen3:8b" } });
  await fixture.space.queue(other).add("infer", {}, { jobId: place.id });
  await fixture.space.queue(place.queueName).remove(place.id);
  expect(await readJob(fixture.space, fixture.directory, place.id)).toBeUndefined();
  await recordMove(fixture.space, place.id, other, 60);
  expect(await fixture.read(place.id)).toMatchObject({ id: place.id, queueName: other });
});
