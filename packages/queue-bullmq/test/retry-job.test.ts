import { createJobId } from "@forebay/queue-contracts";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import {
  countOpenJobs,
  endWaitingJob,
  JobNotFailedError,
  type Outcome,
  readFinalSeq,
  readLog,
  retryJob,
} from "../src/index.ts";
import {
  completes,
  createFixture,
  discards,
  type Fixture,
  gate,
  interleave,
  type Place,
  retries,
} from "./queue-fixture.ts";

let fixture: Fixture;
let outcome: Outcome;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
  outcome = discards();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const retry = (place: Place) => retryJob(fixture.space, place);
const fieldsOf = (place: Place, ...fields: string[]) =>
  fixture.space.client.hmget(fixture.space.jobKey(place.queueName, place.id), ...fields);

async function failed(options?: Parameters<Fixture["submit"]>[0]): Promise<Place> {
  const consumer = await fixture.consume(() => outcome);
  const place = await fixture.submit(options);
  await fixture.ended(place.id);
  await consumer.close(AbortSignal.abort());
  return place;
}

test("a failed job waits again under its id, as if it had never been tried", async () => {
  outcome = retries();
  const place = await failed({ attempts: 2 });
  expect(await fixture.read(place.id)).toMatchObject({ state: "failed", attemptsMade: 2 });
  await retry(place);
  expect(await fixture.read(place.id)).toMatchObject({
    state: "waiting",
    position: 0,
    attemptsMade: 0,
    attemptsMax: 2,
    failure: undefined,
    finishedAt: undefined,
    tokens: 0,
    stack: [],
    putBack: true,
    sinceFresh: [],
  });
  expect(await countOpenJobs(fixture.space, "acme")).toBe(1);
});

test("it has all its attempts again", async () => {
  outcome = retries();
  const place = await failed({ attempts: 2 });
  await retry(place);
  let runs = 0;
  await fixture.consume((delivery) => {
    expect(delivery.attemptsMade).toBe(runs);
    return ++runs === 2 ? completes() : retries();
  });
  expect(await fixture.ended(place.id)).toMatchObject({ state: "completed", attemptsMade: 2 });
});

test("its history is kept, and does not count against it", async () => {
  const place = await failed();
  await retry(place);
  const earlier: unknown[] = [];
  await fixture.consume((delivery) => {
    earlier.push(...delivery.earlierStarts);
    return completes();
  });
  const job = await fixture.ended(place.id);
  expect(job.starts.map((start) => start.outcome)).toEqual(["discard", "completed"]);
  expect(earlier).toEqual([]);
});

test("the workers it lost before are forgotten", async () => {
  const place = await failed();
  await fixture.space.client.hset(fixture.space.jobKey(place.queueName, place.id), "stc", 2, "dl", 1);
  await retry(place);
  expect(await fieldsOf(place, "stc", "dl", "kept", "finishedOn", "failedReason")).toEqual(
    Array.from({ length: 5 }, () => null),
  );
});

test("a job that was cancelled before it began can be put back, and runs", async () => {
  const place = await fixture.submit();
  await endWaitingJob(fixture.space, place, { code: "cancelled", message: "enough" });
  await retry(place);
  await fixture.consume(() => completes());
  expect(await fixture.ended(place.id)).toMatchObject({ state: "completed" });
});

test("put back again and again without having begun, each ending and each return is in its log", async () => {
  const place = await fixture.submit();
  for (let round = 0; round < 3; round++) {
    await endWaitingJob(fixture.space, place, { code: "cancelled", message: "enough" });
    // Readers were told of this ending under this number.
    const told = await readFinalSeq(fixture.space, place);
    await retry(place);
    const page = await readLog(fixture.space, place, told - 1);
    expect(page).toMatchObject({
      kind: "entries",
      entries: [
        { seq: told, event: "state", data: expect.stringContaining('"cancelled"') as unknown },
        { seq: told + 1, event: "state", data: expect.stringContaining('"waiting"') as unknown },
      ],
    });
  }
});

test("an idle consumer takes it at once", async () => {
  const place = await failed();
  const { opened, open } = gate();
  await fixture.consume(() => {
    open();
    return completes();
  });
  await retry(place);
  await opened;
});

test.each([
  ["waits", () => fixture.submit()],
  ["is delayed", () => fixture.submit({ delayMs: 60_000 })],
  [
    "completed",
    async () => {
      outcome = completes();
      return failed();
    },
  ],
  ["is not there", async () => ({ ...(await fixture.submit()), id: createJobId("abcdefgh") })],
])("a job that %s is not put back", async (_, make) => {
  const place = await make();
  await expect(retry(place)).rejects.toThrow(JobNotFailedError);
});

test("of two who put a job back at once, one does", async () => {
  for (let round = 0; round < 20; round++) {
    const place = await failed();
    const answers = await Promise.allSettled([retry(place), retry(place)]);
    const refused = answers.filter((answer) => answer.status === "rejected");
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toBeInstanceOf(JobNotFailedError);
    const [starts] = await fieldsOf(place, "starts");
    expect(starts?.match(/"fresh"/g)).toHaveLength(1);
    await endWaitingJob(fixture.space, place, { code: "cancelled", message: "enough" });
  }
});

test("whoever comes late does not disturb the job that already runs again", async () => {
  const place = await failed();
  const { opened, open } = gate();
  await fixture.consume(async () => {
    await opened;
    return completes();
  });
  // Somebody else puts it back, and it begins, between this one's look at the job and its first change.
  const late = interleave(fixture.space, "before", async () => {
    await retry(place);
    await fixture.begun(place.id);
  });
  await expect(retryJob(late, place)).rejects.toThrow(JobNotFailedError);
  open();
  const job = await fixture.ended(place.id);
  expect(job.starts.map((start) => start.outcome)).toEqual(["discard", "completed"]);
  expect(job.sinceFresh).toHaveLength(1);
});
