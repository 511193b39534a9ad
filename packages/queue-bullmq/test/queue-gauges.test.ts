import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { countWaitingJobs, readQueueGauges } from "../src/index.ts";
import { completes, createFixture, discards, type Fixture, gate, type Place } from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const createdAgo = ({ id, queueName }: Place, seconds: number) =>
  fixture.space.client.hset(fixture.space.jobKey(queueName, id), "timestamp", Date.now() - seconds * 1_000);
/** Whether an age is this many seconds, give or take what the test itself took. */
function expectAge(seconds: number, expected: number): void {
  expect(seconds).toBeGreaterThanOrEqual(expected);
  expect(seconds).toBeLessThan(expected + 60);
}

test("an empty queue", async () => {
  const { queueName } = await fixture.submit();
  await fixture.space.queue(queueName).drain();
  expect(await readQueueGauges(fixture.space, queueName)).toEqual({
    waiting: 0,
    active: 0,
    delayed: 0,
    held: 0,
    completed: 0,
    failed: 0,
    oldestWaitingS: 0,
  });
});

test("a queue nobody ever used", async () => {
  expect(await readQueueGauges(fixture.space, "{infer.none.zzzzzzzz}")).toMatchObject({ waiting: 0 });
});

test("jobs are counted where they are", async () => {
  const { opened, open } = gate();
  const [done, broken, running] = [await fixture.submit(), await fixture.submit(), await fixture.submit()];
  await fixture.consume(async (delivery) => {
    if (delivery.id === broken.id) return discards();
    if (delivery.id === running.id) await opened;
    return completes();
  });
  await Promise.all([done, broken].map(({ id }) => fixture.ended(id)));
  await fixture.begun(running.id);
  for (const lane of ["interactive", "standard", "batch"]) await fixture.submit({ fields: { lane } });
  await fixture.submit({ delayMs: 60_000 });
  await fixture.space.queue(running.queueName).add("infer", {}, { jobId: "another-teams" });
  expect(await readQueueGauges(fixture.space, running.queueName)).toMatchObject({
    waiting: 4,
    active: 1,
    delayed: 1,
    completed: 1,
    failed: 1,
  });
  open();
  await fixture.ended(running.id);
});

test("the oldest waiting job is found in whichever lane it is", async () => {
  const places: Place[] = [];
  for (const lane of ["interactive", "standard", "batch"]) {
    places.push(await fixture.submit({ fields: { lane } }), await fixture.submit({ fields: { lane } }));
  }
  const queueName = places[0]?.queueName ?? "";
  for (const [index, place] of places.entries()) await createdAgo(place, 100 - index);
  expectAge((await readQueueGauges(fixture.space, queueName)).oldestWaitingS, 100);
  for (const oldest of [2, 4]) {
    const place = places[oldest];
    if (place) await createdAgo(place, 1_000 * oldest);
    expectAge((await readQueueGauges(fixture.space, queueName)).oldestWaitingS, 1_000 * oldest);
  }
});

test("the oldest may be one another team put without a priority", async () => {
  const { id, queueName } = await fixture.submit();
  const old = { id: "another-teams", queueName, tenant: "acme" };
  await fixture.space.queue(queueName).add("infer", {}, { jobId: old.id });
  await createdAgo(old, 500);
  expectAge((await readQueueGauges(fixture.space, queueName)).oldestWaitingS, 500);
  expect(id).not.toBe(old.id);
});

test("a job from the future has not waited less than nothing", async () => {
  const place = await fixture.submit();
  await createdAgo(place, -600);
  expect((await readQueueGauges(fixture.space, place.queueName)).oldestWaitingS).toBe(0);
});

test("waiting jobs are counted over all queues", async () => {
  await fixture.submit();
  await fixture.submit({ fields: { lane: "batch" } });
  const { queueName } = await fixture.submit({ fields: { model: "qwen3:8b" } });
  await fixture.submit({ delayMs: 60_000 });
  await fixture.space.queue(queueName).add("infer", {}, { jobId: "another-teams" });
  expect(await countWaitingJobs(fixture.space, fixture.directory)).toBe(4);
});
