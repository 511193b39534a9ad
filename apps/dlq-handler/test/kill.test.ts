import { deadLetterQueueName } from "@forebay/queue-contracts";
import { addDeadLetterCommand, readAudit } from "@forebay/queue-bullmq";
import { waitFor } from "@forebay/test-harness";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createFixture, type Fixture } from "./dlq-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** Starts two handlers that do the same work, and kills them at some moment of it; `times` times. */
async function killHandlers(times: number): Promise<void> {
  for (let kills = 0; kills < times; kills++) {
    const handlers = await Promise.all([fixture.launchHandler(), fixture.launchHandler()]);
    // When in their work they die is the point; nothing to await.
    await pause(Math.random() * 150);
    await Promise.all(handlers.map((handler) => handler.kill("SIGKILL")));
  }
}

/** Exactly one letter for each of the ids, in every place that knows letters. */
async function expectLettersOf(ids: readonly string[], states: Record<string, number>): Promise<void> {
  const letters = await fixture.letters();
  expect(letters.map(({ job_id }) => job_id).toSorted()).toEqual(ids.toSorted());
  const queue = fixture.space.queue(deadLetterQueueName);
  expect(await queue.getJobCounts()).toMatchObject({ failed: ids.length, waiting: 0, active: 0, delayed: 0 });
  for (const [state, count] of Object.entries(states)) {
    expect([state, await fixture.space.client.zcard(queue.toKey(`state-${state}`))]).toEqual([state, count]);
  }
}

test("handlers killed at any moment, two at once, leave exactly one dead letter for every failed job", async () => {
  const ids = await fixture.failJobs(800);
  const swept = async () =>
    (await Promise.all(ids.map((id) => fixture.job(id)))).every((job) => job.deadLettered);
  await killHandlers(5);
  const more = await fixture.failJobs(20);
  ids.push(...more);
  await fixture.startHandler();
  await waitFor(swept, { what: "all are dead letters", timeoutMs: 30_000 });
  await expectLettersOf(ids, { dead: ids.length, redriven: 0 });
  const letters = await fixture.letters();
  expect(letters.every((letter) => letter.redrives === 0)).toBe(true);
}, 180_000);

test("a redrive killed at any moment puts every job back exactly once and counts exactly", async () => {
  const ids = await fixture.failJobs(300);
  const first = await fixture.startHandler();
  await waitFor(async () => (await fixture.letters()).length === ids.length, {
    what: "all are dead letters",
  });
  await first.stop();
  const action = await addDeadLetterCommand(fixture.space, {
    v: 1,
    action: "redrive",
    actor: { kind: "key", key_id: "key_1", tenant: "ops", role: "operator" },
    requested_at: new Date().toISOString(),
    target: { filter: { code: "backend_reset" } },
  });
  await killHandlers(5);
  await fixture.startHandler();
  const done = await fixture.actionEnded(action);
  expect(done.state).toBe("completed");
  expect(done.counts).toEqual({ matched: 300, changed: 300, skipped: 0, invalid: 0, missing: 0, failed: 0 });
  await expectLettersOf(ids, { dead: 0, redriven: 300 });
  const jobs = await Promise.all(ids.map((id) => fixture.job(id)));
  expect(jobs.every((job) => job.state === "waiting" && job.starts.length === 1)).toBe(true);
  expect((await fixture.letters()).every((letter) => letter.redrives === 1)).toBe(true);
  const { entries } = await readAudit(fixture.space, { limit: 10 });
  expect(entries.map(({ action_id, counts }) => [action_id, counts.changed])).toEqual([[action, 300]]);
}, 180_000);

test("a redrive to another model killed at any moment leaves every job on exactly one queue", async () => {
  const ids = await fixture.failJobs(200);
  const first = await fixture.startHandler();
  await waitFor(async () => (await fixture.letters()).length === ids.length, {
    what: "all are dead letters",
  });
  await first.stop();
  const action = await addDeadLetterCommand(fixture.space, {
    v: 1,
    action: "redrive",
    actor: { kind: "key", key_id: "key_1", tenant: "ops", role: "operator" },
    requested_at: new Date().toISOString(),
    target: { filter: {} },
    patch: { model: "qwen3:8b", options: { temperature: 0 } },
  });
  // Some of the moved jobs run and fail again while their redrive is being killed.
  await fixture.openWorker({ model: "qwen3:8b" });
  await killHandlers(5);
  await fixture.startHandler();
  const done = await fixture.actionEnded(action);
  expect(done.counts).toEqual({ matched: 200, changed: 200, skipped: 0, invalid: 0, missing: 0, failed: 0 });
  const old = await fixture.directory.ensure({ model: "llama3.2:3b", runner: {} });
  const now = await fixture.directory.ensure({ model: "qwen3:8b", runner: {} });
  await waitFor(async () => (await fixture.letters({ state: "dead" })).length === 200, {
    what: "all failed again",
    timeoutMs: 20_000,
  });
  expect(await fixture.space.queue(old).getJobCounts()).toMatchObject({
    failed: 0,
    prioritized: 0,
    waiting: 0,
  });
  expect(await fixture.space.queue(now).getJobCounts()).toMatchObject({ failed: 200 });
  for (const id of ids) {
    const job = await fixture.job(id);
    expect([job.queueName, job.starts.length]).toEqual([now, 2]);
  }
  const letters = await fixture.letters();
  expect(
    letters.every(({ redrives, queue, model }) => redrives === 1 && queue === now && model === "qwen3:8b"),
  ).toBe(true);
}, 180_000);
