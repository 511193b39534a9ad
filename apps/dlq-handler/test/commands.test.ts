import {
  addDeadLetterCommand,
  groupDeadLetters,
  readAction,
  readAudit,
  readDeadLetter,
  removeJob,
} from "@forebay/queue-bullmq";
import { createJobId, queueTag } from "@forebay/queue-contracts";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createFixture, type Fixture, model } from "./dlq-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
  await fixture.startHandler();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const counts = { matched: 0, changed: 0, skipped: 0, invalid: 0, missing: 0, failed: 0 };

async function deadLetters(count: number, job?: Record<string, unknown>): Promise<string[]> {
  const ids = await fixture.failJobs(count, job);
  await Promise.all(ids.map((id) => fixture.letterWith(id, { state: "dead" })));
  return ids;
}

test("a redriven job runs again under its own id, with fresh attempts and its history", async () => {
  const [id = ""] = await deadLetters(1);
  const { counts: got } = await fixture.command({ action: "redrive", target: { ids: [id] } });
  expect(got).toEqual({ ...counts, matched: 1, changed: 1 });
  expect(await fixture.letter(id)).toMatchObject({ state: "redriven", redrives: 1 });
  expect(await fixture.job(id)).toMatchObject({ state: "waiting", attemptsMade: 0, deadLettered: false });
  await fixture.openWorker({
    handle: () => ({ kind: "discard", failure: { code: "out_of_memory", message: "" } }),
  });
  const again = await fixture.letterWith(id, { state: "dead", redrives: 1 });
  expect(again).toMatchObject({ failure: { code: "out_of_memory" } });
  expect(again.attempts.map(({ code }) => code)).toEqual(["backend_reset", "out_of_memory"]);
  expect(again.first_failed_at < again.last_failed_at).toBe(true);
  expect(await fixture.letters()).toHaveLength(1);
});

test("a patch to another model moves the job to that model's queue under its own id", async () => {
  const [id = ""] = await deadLetters(1, {
    lane: "batch",
    metadata: { order: "7" },
    start_by: Date.now() + 600_000,
    request: { prompt: "fail backend_reset it broke", options: { seed: 1 } },
  });
  const { queueName: from } = await fixture.job(id);
  await fixture.command({
    action: "redrive",
    target: { ids: [id] },
    patch: { model: "qwen3:8b", options: { num_ctx: 8192 } },
  });
  const job = await fixture.job(id);
  expect(job.queueName).toBe(
    await fixture.directory.ensure({ model: "qwen3:8b", runner: { num_ctx: 8192 } }),
  );
  expect(job).toMatchObject({ state: "waiting", putBack: true });
  expect(job.job).toMatchObject({
    lane: "batch",
    model: "qwen3:8b",
    metadata: { order: "7" },
    request: { prompt: "fail backend_reset it broke", options: { seed: 1, num_ctx: 8192 } },
  });
  expect(job.job?.start_by).toBeUndefined();
  expect(job.starts.map(({ code, worker }) => [code, worker])).toEqual([["backend_reset", "test-worker"]]);
  expect(await fixture.space.queue(from).getJob(id)).toBeUndefined();
});

test("a moved job that fails there can be redriven home again", async () => {
  const [id = ""] = await deadLetters(1);
  const { queueName: home } = await fixture.job(id);
  await fixture.command({ action: "redrive", target: { ids: [id] }, patch: { model: "qwen3:8b" } });
  const there = await fixture.openWorker({ model: "qwen3:8b" });
  await fixture.letterWith(id, { state: "dead", redrives: 1, model: "qwen3:8b" });
  await there.close(AbortSignal.timeout(1_000));
  await fixture.command({ action: "redrive", target: { ids: [id] }, patch: { model } });
  const job = await fixture.job(id);
  expect([job.queueName, job.state, job.starts.length]).toEqual([home, "waiting", 2]);
  await fixture.openWorker({
    handle: () => ({ kind: "discard", failure: { code: "backend_stuck", message: "" } }),
  });
  const letter = await fixture.letterWith(id, { state: "dead", redrives: 2 });
  expect(letter.attempts).toHaveLength(3);
  expect(
    await fixture.space.queue(await fixture.directory.ensure({ model: "qwen3:8b", runner: {} })).getJob(id),
  ).toBe(undefined);
});

test("a patch of options that need no other queue is applied in place", async () => {
  const [id = ""] = await deadLetters(1);
  const { queueName } = await fixture.job(id);
  await fixture.command({ action: "redrive", target: { ids: [id] }, patch: { options: { temperature: 0 } } });
  const job = await fixture.job(id);
  expect([job.queueName, job.state]).toEqual([queueName, "waiting"]);
  expect(job.job?.request.options).toEqual({ temperature: 0 });
});

test("a job that has aged out is made again from its dead letter", async () => {
  const [id = ""] = await deadLetters(1);
  const { queueName, starts } = await fixture.job(id);
  await removeJob(fixture.space, { id, queueName, tenant: "acme" });
  const { counts: got } = await fixture.command({ action: "redrive", target: { ids: [id] } });
  expect(got).toEqual({ ...counts, matched: 1, changed: 1 });
  expect(await fixture.job(id)).toMatchObject({ queueName, state: "waiting", starts, putBack: true });
});

test("a payload no worker could read is not redriven, and says so", async () => {
  const affinity = { model, runner: {} };
  const bad = createJobId(queueTag(affinity));
  const queueName = await fixture.directory.ensure(affinity);
  await fixture.space.queue(queueName).add("infer", { v: 2 }, { jobId: bad });
  const [good = ""] = await deadLetters(1);
  await fixture.letterWith(bad, { state: "dead" });
  const { counts: got } = await fixture.command({ action: "redrive", target: { ids: [good, bad] } });
  expect(got).toEqual({ ...counts, matched: 2, changed: 1, invalid: 1 });
  expect((await fixture.letter(bad)).state).toBe("dead");
});

test("park, drop and erase change letters by id and by filter, and touch no job", async () => {
  const [first = "", second = "", third = ""] = await deadLetters(3);
  const unknown = createJobId("00000000");
  const parked = await fixture.command({ action: "park", target: { ids: [first, unknown, first] } });
  expect(parked.counts).toEqual({ ...counts, matched: 2, changed: 1, missing: 1 });
  const dropped = await fixture.command({ action: "drop", target: { filter: { code: "backend_reset" } } });
  expect(dropped.counts).toEqual({ ...counts, matched: 2, changed: 2 });
  const nothing = await fixture.command({ action: "drop", target: { filter: { code: "out_of_memory" } } });
  expect(nothing.counts).toEqual(counts);
  const erased = await fixture.command({ action: "erase", target: { ids: [third, unknown] } });
  expect(erased.counts).toEqual({ ...counts, matched: 2, changed: 1, missing: 1 });
  expect((await fixture.letter(first)).state).toBe("parked");
  expect((await fixture.letter(second)).state).toBe("dropped");
  expect(await readDeadLetter(fixture.space, third)).toBeUndefined();
  expect(await fixture.letters()).toHaveLength(2);
  for (const id of [first, second, third]) expect((await fixture.job(id)).state).toBe("failed");
});

test("a letter of an erased job does not come back with the next sweep", async () => {
  const [id = ""] = await deadLetters(1);
  await fixture.command({ action: "erase", target: { ids: [id] } });
  await fixture.startHandler();
  // The new handler has swept everything once the next failure is a dead letter.
  await deadLetters(1);
  expect(await readDeadLetter(fixture.space, id)).toBeUndefined();
});

test("parked and dropped letters are redriven by id; a filter means dead ones unless it says otherwise", async () => {
  const [parked = "", dropped = "", dead = ""] = await deadLetters(3);
  await fixture.command({ action: "park", target: { ids: [parked] } });
  await fixture.command({ action: "drop", target: { ids: [dropped] } });
  const byFilter = await fixture.command({ action: "redrive", target: { filter: {} } });
  expect(byFilter.counts).toEqual({ ...counts, matched: 1, changed: 1 });
  const byState = await fixture.command({ action: "redrive", target: { filter: { state: "parked" } } });
  expect(byState.counts).toEqual({ ...counts, matched: 1, changed: 1 });
  const byId = await fixture.command({ action: "redrive", target: { ids: [dropped, dead] } });
  expect(byId.counts).toEqual({ ...counts, matched: 2, changed: 1, skipped: 1 });
  expect(
    (await fixture.letters()).every(({ state, redrives }) => state === "redriven" && redrives === 1),
  ).toBe(true);
});

test("a filter that redrives jobs which fail again at once comes to an end", async () => {
  const ids = await deadLetters(60);
  await fixture.openWorker();
  const { counts: got } = await fixture.command({ action: "redrive", target: { filter: {} } });
  expect(got).toEqual({ ...counts, matched: 60, changed: 60 });
  await Promise.all(ids.map((id) => fixture.letterWith(id, { state: "dead", redrives: 1 })));
});

test("a redrive with a rate takes its time, shows how far it is, and is gone on with elsewhere", async () => {
  const ids = await deadLetters(6);
  const slow = await fixture.startHandler();
  const command = { v: 1, action: "redrive", target: { ids }, rate_per_s: 4 } as const;
  const actor = { kind: "key", key_id: null, tenant: "ops", role: "admin" } as const;
  const action = await addDeadLetterCommand(fixture.space, {
    ...command,
    actor,
    requested_at: new Date().toISOString(),
  });
  const halfway = await waitFor(
    async () => {
      const seen = await readAction(fixture.space, action);
      return seen && seen.counts.changed > 1 ? seen : undefined;
    },
    { what: "some letters are redriven" },
  );
  expect(halfway).toMatchObject({ state: "running", counts: { matched: 6 } });
  await slow.stop();
  const done = await fixture.actionEnded(action);
  expect(done).toMatchObject({ state: "completed", counts: { ...counts, matched: 6, changed: 6 } });
});

test("every action leaves one entry in the audit: who, what, which, how many", async () => {
  const [id = ""] = await deadLetters(1);
  const park = await fixture.command({ action: "park", target: { ids: [id] } });
  const redrive = await fixture.command({
    action: "redrive",
    target: { filter: { state: "parked", model } },
    patch: { options: { seed: 7 } },
    rate_per_s: 100,
  });
  const { entries } = await readAudit(fixture.space, { limit: 10 });
  const actor = { kind: "key", key_id: "key_test", tenant: "ops", role: "operator" };
  expect(entries).toMatchObject([
    {
      action_id: redrive.id,
      action: "redrive",
      actor,
      filter: { state: "parked", model },
      patch: { options: { seed: 7 } },
      rate_per_s: 100,
      counts: { ...counts, matched: 1, changed: 1 },
      outcome: "completed",
    },
    { action_id: park.id, action: "park", actor, ids: [id], ids_total: 1, counts: { changed: 1 } },
  ]);
  const first = await readAudit(fixture.space, { limit: 1 });
  expect(first.entries.map(({ action_id }) => action_id)).toEqual([redrive.id]);
  const second = await readAudit(fixture.space, { limit: 1, after: first.next });
  expect(second.entries.map(({ action_id }) => action_id)).toEqual([park.id]);
});

test("letters are grouped by how they failed, whatever their numbers", async () => {
  await deadLetters(2, { request: { prompt: "fail backend_stuck silent for 90 s" } });
  await deadLetters(1, { request: { prompt: "fail backend_stuck silent for 120 s" } });
  await deadLetters(1, { request: { prompt: "fail out_of_memory needs 12 GiB" } });
  const { groups, complete } = await groupDeadLetters(fixture.space, {});
  expect(complete).toBe(true);
  expect(groups.map(({ failure, count, states }) => [failure.code, count, states.dead])).toEqual([
    ["backend_stuck", 3, 3],
    ["out_of_memory", 1, 1],
  ]);
  const fingerprint = groups[0]?.fingerprint ?? "";
  const redriven = await fixture.command({ action: "redrive", target: { filter: { fingerprint } } });
  expect(redriven.counts.changed).toBe(3);
});
