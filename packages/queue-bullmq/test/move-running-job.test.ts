import { affinityOf } from "@forebay/queue-contracts";
import { defaultLaneWeights, tagFloor, ticksPerMs } from "@forebay/scheduling";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { countOpenJobs, type Delivery, type Outcome, readLog, requestStop } from "../src/index.ts";
import { completes, createFixture, type Fixture, generateJob, resultSaying } from "./queue-fixture.ts";

const other = "qwen3:8b";
let fixture: Fixture;
let otherQueue: string;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
  otherQueue = await fixture.directory.ensure(affinityOf({ model: other }));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const moves = (): Outcome => ({
  kind: "moved",
  failure: { code: "out_of_memory", message: "too large" },
  job: generateJob({ model: other }),
  queueName: otherQueue,
});

test("a job that moves is found under its id, with its history, its place in time and in its tenant's list", async () => {
  const place = await fixture.submit({ attempts: 4 });
  const before = await fixture.read(place.id);
  await fixture.consume(moves);
  const moved = await fixture.until(place.id, "it moved", ({ queueName }) => queueName === otherQueue);
  expect(moved).toMatchObject({ state: "waiting", attemptsMade: 0, attemptsMax: 4, job: { model: other } });
  expect(moved.createdAt).toEqual(before.createdAt);
  expect(moved.starts).toMatchObject([{ outcome: "moved", code: "out_of_memory", gpu_ms: 7 }]);
  expect(await countOpenJobs(fixture.space, "acme")).toBe(1);
  const left = await fixture.space.client.keys(`${fixture.prefix}:*${place.id}*`);
  expect(left.filter((key) => key.includes(`{${place.queueName}}`))).toEqual([]);
});

test("it runs there before what waits there already, and the other queue goes on", async () => {
  const waiting = await fixture.submit({ fields: { model: other } });
  const place = await fixture.submit();
  const next = await fixture.submit();
  let first = true;
  await fixture.consume(() => {
    const outcome = first ? moves() : completes();
    first = false;
    return outcome;
  });
  await fixture.until(place.id, "it moved", ({ queueName }) => queueName === otherQueue);
  expect((await fixture.ended(next.id)).state).toBe("completed");
  const order: string[] = [];
  const take = (delivery: Delivery): Outcome => {
    order.push(delivery.id);
    return { kind: "completed", result: resultSaying("There.") };
  };
  await fixture.consume(take, { queueName: otherQueue });
  await Promise.all([fixture.ended(place.id), fixture.ended(waiting.id)]);
  expect(order).toEqual([place.id, waiting.id]);
  expect(fixture.seen.errors).toEqual([]);
  expect(await countOpenJobs(fixture.space, "acme")).toBe(0);
});

test("its log goes with it: the numbers go on, and what was written of an answer is taken back", async () => {
  const place = await fixture.submit();
  await fixture.consume(async (delivery) => {
    await delivery.appendTokens({ text: "Half" }, 0);
    return moves();
  });
  await fixture.until(place.id, "it moved", ({ queueName }) => queueName === otherQueue);
  await fixture.consume(() => completes(), { queueName: otherQueue });
  const ended = await fixture.ended(place.id);
  const page = await readLog(fixture.space, ended, 1);
  const entries = page.kind === "entries" ? page.entries : [];
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 2));
  expect(entries.map(({ event }) => event)).toEqual(["state", "token", "state", "restart", "state"]);
  expect(JSON.parse(entries[2]?.data ?? "")).toMatchObject({ state: "waiting", model: other });
});

test("a wish to stop it is not lost on the way", async () => {
  const place = await fixture.submit();
  await fixture.consume(async () => {
    await requestStop(fixture.space, place, "cancelled");
    return moves();
  });
  await fixture.until(place.id, "it moved", ({ queueName }) => queueName === otherQueue);
  let stopped: unknown;
  await fixture.consume(
    ({ signal }) => {
      stopped = signal.reason;
      return { kind: "discard", failure: { code: "cancelled", message: "cancelled on request" } };
    },
    { queueName: otherQueue },
  );
  expect((await fixture.ended(place.id)).state).toBe("cancelled");
  expect(stopped).toBe("cancelled");
});

test("who has lost the lock moves nothing", async () => {
  const place = await fixture.submit();
  await fixture.consume(async () => {
    const { client } = fixture.space;
    await client.set(`${fixture.space.jobKey(place.queueName, place.id)}:lock`, "another's");
    return moves();
  });
  await fixture.until(place.id, "its worker noticed", () => fixture.seen.errors.length > 0);
  const job = await fixture.read(place.id);
  expect(job.queueName).toBe(place.queueName);
  expect(await fixture.space.client.exists(fixture.space.jobKey(otherQueue, place.id))).toBe(0);
});

test("its tenant is charged for what it used on both queues, and no work is left counted", async () => {
  const place = await fixture.submit();
  await fixture.consume(moves);
  await fixture.until(place.id, "it moved", ({ queueName }) => queueName === otherQueue);
  await fixture.consume(() => completes(), { queueName: otherQueue });
  const ended = await fixture.ended(place.id);
  const { space } = fixture;
  const flowEnd = Number(await space.client.hget(space.key("fair", "flows"), "f:standard:acme"));
  const usedMs = ended.starts.map(({ gpu_ms }) => gpu_ms ?? 0);
  expect(usedMs).toHaveLength(2);
  const chargedTicks = (flowEnd - tagFloor) * defaultLaneWeights.standard;
  expect(chargedTicks).toBe(usedMs.reduce((sum, ms) => sum + ms) * ticksPerMs);
  const counted = Object.keys(await space.client.hgetall(space.key("fair")));
  expect(counted.filter((field) => field.startsWith("w:"))).toEqual([]);
});
