import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { completes, createFixture, type Fixture, type Place } from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

async function submit(name: string, count: number): Promise<Place[]> {
  const jobs: Place[] = [];
  for (let put = 0; put < count; put++) jobs.push(await fixture.submit({ fields: { model: `${name}:1b` } }));
  return jobs;
}

const queueOf = ([job]: readonly Place[]): string => job?.queueName ?? "";

test("a turn that is written out leaves behind what BullMQ's own script does", async () => {
  const plain = await submit("plain", 4);
  const own = await submit("other", 4);
  // Never reached; with a limit BullMQ's script is run.
  await fixture.space.queue(queueOf(own)).setGlobalConcurrency(100);
  const [ours, theirs] = [await runThrough(plain), await runThrough(own)];
  expect(ours).toEqual(theirs);
  expect(
    ours.map((state) =>
      Object.keys(state)
        .filter((key) => /:(lock|logs)$/.test(key))
        .toSorted(),
    ),
  ).toEqual([
    ["job1:lock", "job1:logs"],
    ["job1:logs", "job2:lock", "job2:logs"],
    ["job1:logs", "job2:logs", "job3:lock", "job3:logs"],
    ["job1:logs", "job2:logs", "job3:logs", "job4:lock", "job4:logs"],
    ["job1:logs", "job2:logs", "job3:logs", "job4:logs"],
  ]);
});

type Left = Record<string, unknown>;

/** Written with the job, or of the flow that both queues have in common, or the queue's limit. */
const ofOthers = new Set(["data", "opts", "share", "priority", "concurrency"]);

/** What there is of the queue while each job runs, and when all have ended. */
async function runThrough(jobs: readonly Place[]): Promise<Left[]> {
  const queueName = queueOf(jobs);
  const states: Left[] = [];
  const handle = async () => {
    states.push(await leftBehind(jobs));
    return completes();
  };
  const consumer = await fixture.consume(handle, { queueName, worker: "w" });
  for (const { id } of jobs) await fixture.ended(id);
  await consumer.close(AbortSignal.abort());
  return [...states, await leftBehind(jobs)];
}

/** The queue's keys without its name, ids and times. */
async function leftBehind(jobs: readonly Place[]): Promise<Left> {
  const { client } = fixture.space;
  const root = fixture.space.jobKey(queueOf(jobs), "");
  const left: Left = {};
  for (const key of await client.keys(`${root}*`)) left[plainly(key.slice(root.length))] = await valueOf(key);
  return left;

  async function valueOf(key: string): Promise<unknown> {
    switch (await client.type(key)) {
      case "hash": {
        const fields = Object.entries(await client.hgetall(key)).filter(([name]) => !ofOthers.has(name));
        return Object.fromEntries(fields.map(([name, text]) => [name, plainly(text)]));
      }
      case "list":
        return (await client.lrange(key, 0, -1)).map(plainly);
      case "set":
        return (await client.smembers(key)).map(plainly).toSorted();
      case "zset":
        return (await client.zrange(key, "0", "-1")).map(plainly);
      case "stream":
        return (await client.xrange(key, "-", "+")).map(([, fields]) => fields.map(plainly));
      default:
        return (await client.pttl(key)) > 0 ? "for a while" : "for ever";
    }
  }
  function plainly(text: string): string {
    const named = jobs.reduce((all, { id }, index) => all.replaceAll(id, `job${index + 1}`), text);
    return named.replaceAll(/\d{13}|\d{4}-\d\d-\d\dT[\d:.]+Z/g, "then");
  }
}

test.each([
  ["few, exactly", 3, 6, 3],
  ["many, about so many", 100, 104, 101],
])("of jobs that completed are kept %s", async (_, completedCount, count, kept) => {
  const jobs = await submit("kept", count);
  const queueName = queueOf(jobs);
  const completed = fixture.space.jobKey(queueName, "completed");
  let most = 0;
  await fixture.consume(
    async () => {
      most = Math.max(most, await fixture.space.client.zcard(completed));
      return completes();
    },
    { queueName, policy: { completedCount } },
  );
  await fixture.ended(jobs.at(-1)?.id ?? "");
  expect(most).toBe(kept);
});

test("a job that is not among those that run is not ended, though its lock is ours", async () => {
  const jobs = await submit("gone", 2);
  const queueName = queueOf(jobs);
  const { space } = fixture;
  const [first, second] = jobs;
  await fixture.consume(
    async ({ id }) => {
      if (id === first?.id) await space.client.lrem(space.jobKey(queueName, "active"), 0, id);
      return completes();
    },
    { queueName },
  );
  expect(await fixture.ended(second?.id ?? "")).toMatchObject({ state: "completed" });
  expect(await space.client.zscore(space.jobKey(queueName, "completed"), first?.id ?? "")).toBeNull();
  expect(await fixture.read(first?.id ?? "")).toMatchObject({ finishedAt: undefined, result: undefined });
});
