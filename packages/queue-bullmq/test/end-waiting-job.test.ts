import { createJobId } from "@forebay/queue-contracts";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { countOpenJobs, endWaitingJob } from "../src/index.ts";
import { completes, createFixture, type Fixture, gate, type Place } from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const failure = { code: "cancelled", message: "enough" } as const;
const end = (place: Place, options?: { orphans?: boolean }) =>
  endWaitingJob(fixture.space, place, failure, options);

test("a waiting job is ended at once and never runs", async () => {
  const place = await fixture.submit();
  expect(await end(place)).toBe("ended");
  expect(await fixture.read(place.id)).toMatchObject({ state: "cancelled", failure, attemptsMade: 0 });
  expect(await countOpenJobs(fixture.space, "acme")).toBe(0);
  const runs: string[] = [];
  await fixture.consume((delivery) => {
    runs.push(delivery.id);
    return completes();
  });
  const other = await fixture.submit();
  await fixture.ended(other.id);
  expect(runs).toEqual([other.id]);
});

test("a delayed job is ended at once and does not come back when it is due", async () => {
  const place = await fixture.submit({ delayMs: 50 });
  expect(await end(place)).toBe("ended");
  await fixture.consume(() => completes());
  await fixture.ended((await fixture.submit({ delayMs: 100 })).id);
  expect(await fixture.read(place.id)).toMatchObject({ state: "cancelled", starts: [] });
});

test("a job another team put without a priority is ended too", async () => {
  const { id, queueName, tenant } = await fixture.submit();
  const other = { id: createJobId(id.slice(26)), queueName, tenant };
  await fixture.space.queue(queueName).add("infer", {}, { jobId: other.id });
  expect(await end(other)).toBe("ended");
  expect(await fixture.read(other.id)).toMatchObject({ state: "cancelled" });
});

test("a running job is left alone", async () => {
  const { opened, open } = gate();
  await fixture.consume(async () => {
    await opened;
    return completes();
  });
  const place = await fixture.submit();
  await fixture.begun(place.id);
  expect(await end(place)).toBe("running");
  expect(await end(place, { orphans: true })).toBe("running");
  open();
  expect(await fixture.ended(place.id)).toMatchObject({ state: "completed" });
});

describe("a job whose worker died", () => {
  const orphan = async (): Promise<Place> => {
    const { opened, open } = gate();
    await fixture.consume(async () => {
      await opened;
      return completes();
    });
    const place = await fixture.submit();
    await fixture.begun(place.id);
    // What is left of a job whose worker was killed, once its lock has run out.
    await fixture.space.client.unlink(`${fixture.space.jobKey(place.queueName, place.id)}:lock`);
    open();
    return place;
  };

  test("is not ended unless asked for", async () => {
    expect(await end(await orphan())).toBe("running");
  });

  test("is ended when asked for, and stays so", async () => {
    const place = await orphan();
    expect(await end(place, { orphans: true })).toBe("ended");
    expect(await fixture.read(place.id)).toMatchObject({ state: "cancelled" });
    expect(await fixture.space.queue(place.queueName).getJobCounts("active", "failed")).toEqual({
      active: 0,
      failed: 1,
    });
  });
});

test("a job that ended keeps its end", async () => {
  await fixture.consume(() => completes());
  const place = await fixture.submit();
  await fixture.ended(place.id);
  expect(await end(place)).toBe("ended_before");
  expect(await fixture.read(place.id)).toMatchObject({ state: "completed", failure: undefined });
});

test("a job that is not there is missing, and nothing is made of it", async () => {
  const { id, queueName, tenant } = await fixture.submit();
  const missing = { id: createJobId(id.slice(26)), queueName, tenant };
  expect(await end(missing)).toBe("missing");
  expect(await fixture.space.client.exists(fixture.space.jobKey(queueName, missing.id))).toBe(0);
});

test("of many who end a job at once, one does", async () => {
  const place = await fixture.submit();
  const answers = await Promise.all(Array.from({ length: 20 }, () => end(place)));
  expect(answers.filter((answer) => answer === "ended")).toHaveLength(1);
  expect(answers.filter((answer) => answer === "ended_before")).toHaveLength(19);
});

test("raced against a consumer two hundred times, each job runs or is ended: never both, never neither", async () => {
  const ran = new Set<string>();
  const consumer = await fixture.consume(
    (delivery) => {
      ran.add(delivery.id);
      return completes();
    },
    { concurrency: 4 },
  );
  consumer.pause();
  const ended = new Set<string>();
  const places: Place[] = [];
  for (let round = 0; round < 200; round++) {
    const place = await fixture.submit();
    places.push(place);
    // The race is open at a different point of the queue's life each time.
    if (round === 20) consumer.resume();
    if (round % 3 === 0) await new Promise(setImmediate);
    if (round > 20 && round % 20 === 0) await fixture.ended(place.id);
    if ((await end(place)) === "ended") ended.add(place.id);
  }
  const jobs = await Promise.all(places.map(({ id }) => fixture.ended(id)));
  for (const job of jobs) {
    expect([job.id, ran.has(job.id), ended.has(job.id)]).toEqual([
      job.id,
      job.state === "completed",
      job.state === "cancelled",
    ]);
  }
  expect(ended.size).toBeGreaterThan(0);
  expect(ran.size).toBeGreaterThan(0);
  expect(await countOpenJobs(fixture.space, "acme")).toBe(0);
  expect(fixture.seen.errors).toEqual([]);
});
