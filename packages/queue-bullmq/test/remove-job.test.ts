import { createJobId } from "@forebay/queue-contracts";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { listJobs, recordMove, readJob, removeJob } from "../src/index.ts";
import {
  completes,
  createFixture,
  discards,
  type Fixture,
  gate,
  keysOf,
  type Place,
} from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** Keys, members and fields that still name the job; events, which are trimmed by themselves, aside. */
async function tracesOf(id: string): Promise<string[]> {
  const { client } = fixture.space;
  const traces: string[] = [];
  for (const key of await keysOf(fixture.space)) {
    if (key.includes(id)) traces.push(key);
    const type = await client.type(key);
    if (type === "zset" && (await client.zscore(key, id)) !== null) traces.push(`${key} holds it`);
    if (type === "list" && (await client.lpos(key, id)) !== null) traces.push(`${key} holds it`);
    if (type === "set" && (await client.sismember(key, id)) === 1) traces.push(`${key} holds it`);
  }
  return traces;
}

async function expectGone({ id, tenant }: Place): Promise<void> {
  expect(await readJob(fixture.space, fixture.directory, id)).toBeUndefined();
  const page = await listJobs(fixture.space, fixture.directory, { tenant, limit: 10, matches: () => true });
  expect(page.jobs).toEqual([]);
  expect(await tracesOf(id)).toEqual([]);
}

test.each([
  ["waiting", undefined],
  ["delayed", 60_000],
])("a %s job is erased without a trace, and never runs", async (_, delayMs) => {
  const place = await fixture.submit(delayMs === undefined ? {} : { delayMs });
  expect(await removeJob(fixture.space, place)).toBe(true);
  await expectGone(place);
});

test.each([
  ["completed", completes()],
  ["failed", discards()],
])("a %s job is erased without a trace, with its log and where it had moved to", async (_, outcome) => {
  await fixture.consume(async (delivery) => {
    await delivery.appendTokens({ text: "Because." }, 0);
    return outcome;
  });
  const place = await fixture.submit();
  await fixture.ended(place.id);
  await recordMove(fixture.space, place.id, place.queueName, 60);
  expect((await tracesOf(place.id)).length).toBeGreaterThan(3);
  expect(await removeJob(fixture.space, place)).toBe(true);
  await expectGone(place);
});

test("a job a worker holds is not erased, and ends as it would have", async () => {
  const { opened, open } = gate();
  await fixture.consume(async () => {
    await opened;
    return completes();
  });
  const place = await fixture.submit();
  await fixture.begun(place.id);
  expect(await removeJob(fixture.space, place)).toBe(false);
  open();
  expect(await fixture.ended(place.id)).toMatchObject({ state: "completed" });
});

test("a job that is not there is erased already", async () => {
  const { id, queueName, tenant } = await fixture.submit();
  expect(await removeJob(fixture.space, { id: createJobId(id.slice(26)), queueName, tenant })).toBe(true);
  expect(await fixture.read(id)).toMatchObject({ state: "waiting" });
});
