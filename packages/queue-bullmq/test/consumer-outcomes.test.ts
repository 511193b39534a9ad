import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { countOpenJobs, type Delivery, type Outcome, tenantKeys } from "../src/index.ts";
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

const throttled = (delayMs: number): Outcome => ({
  kind: "throttled",
  failure: { code: "backend_overloaded", message: "full" },
  delayMs,
});
const interrupted: Outcome = { kind: "interrupted" };
const outcomesOf = (job: { starts: readonly { outcome?: string | undefined }[] }) =>
  job.starts.map((start) => start.outcome);

/** Answers with these outcomes in turn, the last one for ever. */
function inTurn(...outcomes: Outcome[]): (delivery: Delivery) => Outcome {
  let next = 0;
  return () => outcomes[Math.min(next++, outcomes.length - 1)] ?? completes();
}

test("the handler is given the job, unparsed, with what is known of it", async () => {
  let given: Delivery | undefined;
  await fixture.consume((delivery) => {
    given = delivery;
    return completes();
  });
  const { id } = await fixture.submit({ attempts: 5 });
  const job = await fixture.ended(id);
  expect(given).toMatchObject({
    id,
    payload: job.payload,
    createdAt: job.createdAt,
    attemptsMade: 0,
    attemptsMax: 5,
    earlierStarts: [],
    putBack: false,
    kept: undefined,
  });
});

describe("completed", () => {
  test("the result is the job's, and nothing is kept twice", async () => {
    await fixture.consume(() => completes("Blue."));
    const { id, queueName } = await fixture.submit();
    expect(await fixture.ended(id)).toMatchObject({
      state: "completed",
      attemptsMade: 1,
      result: resultSaying("Blue."),
    });
    const key = fixture.space.jobKey(queueName, id);
    await fixture.until(id, "the tenant's index knows", async () => {
      const { ended } = tenantKeys(fixture.space, "acme");
      return (await fixture.space.client.zscore(ended, id)) !== null;
    });
    expect(await fixture.space.client.hget(key, "kept")).toBeNull();
    expect(await countOpenJobs(fixture.space, "acme")).toBe(0);
  });
});

describe("retry", () => {
  test("spends an attempt each time, and the job ends when none is left", async () => {
    await fixture.consume(inTurn(retries()));
    const job = await fixture.ended((await fixture.submit({ attempts: 3 })).id);
    expect(job).toMatchObject({
      state: "failed",
      attemptsMade: 3,
      failure: { code: "backend_reset", message: "it broke" },
    });
    expect(job.starts.map(({ outcome, code, message }) => [outcome, code, message])).toEqual(
      Array.from({ length: 3 }, () => ["retry", "backend_reset", "it broke"]),
    );
  });

  test("the job waits as long as the outcome says", async () => {
    await fixture.consume(inTurn(retries(60_000)));
    const { id, queueName } = await fixture.submit();
    const job = await fixture.until(id, "it is delayed", (seen) => seen.state === "delayed");
    expect(job).toMatchObject({ attemptsMade: 1, failure: undefined });
    const score = await fixture.space.client.zscore(fixture.space.jobKey(queueName, "delayed"), id);
    // BullMQ keeps the time in the upper bits.
    const dueMs = Math.floor(Number(score) / 0x1000);
    expect(Math.abs(dueMs - Date.parse(job.starts[0]?.ended_at ?? "") - 60_000)).toBeLessThan(5_000);
  });

  test("and otherwise as the policy says, also when its producer knows nothing of waiting", async () => {
    await fixture.consume(inTurn(retries()), { policy: { backoffBaseMs: 60_000, backoffJitter: 0 } });
    const { queueName, id: other } = await fixture.submit();
    await fixture.until(other, "it is delayed", (seen) => seen.state === "delayed");
    const score = await fixture.space.client.zscore(fixture.space.jobKey(queueName, "delayed"), other);
    const dueMs = Math.floor(Number(score) / 0x1000);
    expect(dueMs - Date.now()).toBeGreaterThan(30_000);
  });

  test("earlier tries are told to the next one", async () => {
    const told: unknown[] = [];
    await fixture.consume((delivery) => {
      told.push(delivery.earlierStarts.map((start) => start.code));
      return delivery.attemptsMade === 2 ? completes() : retries();
    });
    await fixture.ended((await fixture.submit()).id);
    expect(told).toEqual([[], ["backend_reset"], ["backend_reset", "backend_reset"]]);
  });
});

test("discard ends the job at once, with attempts left", async () => {
  await fixture.consume(() => discards());
  const job = await fixture.ended((await fixture.submit({ attempts: 5 })).id);
  expect(job).toMatchObject({ state: "failed", attemptsMade: 1, failure: { code: "invalid_request" } });
});

describe("interrupted", () => {
  /** Interrupts the first job it gets, and holds back all others until told to go on. */
  async function interruptOnce(): Promise<{ order: string[]; goOn: () => void }> {
    const order: string[] = [];
    const { opened, open } = gate();
    await fixture.consume(async (delivery) => {
      if (order.push(delivery.id) === 1) return interrupted;
      await opened;
      return completes();
    });
    return { order, goOn: open };
  }

  test("spends no attempt, however often", async () => {
    let runs = 0;
    await fixture.consume(() => (++runs <= 20 ? interrupted : completes()));
    const job = await fixture.ended((await fixture.submit({ attempts: 1 })).id);
    expect(job).toMatchObject({ state: "completed", attemptsMade: 1 });
    expect(outcomesOf(job)).toEqual([...Array.from({ length: 20 }, () => "interrupted"), "completed"]);
  });

  test("keeps the job's place before those that came later, and its priority", async () => {
    const places: Place[] = [];
    for (let job = 0; job < 3; job++) places.push(await fixture.submit());
    const urgent = await fixture.submit({ fields: { lane: "interactive" } });
    const { order, goOn } = await interruptOnce();
    goOn();
    await Promise.all([...places, urgent].map(({ id }) => fixture.ended(id)));
    const [first, second, third] = places.map(({ id }) => id);
    expect(order).toEqual([urgent.id, urgent.id, first, second, third]);
  });

  test("leaves the job to more urgent ones", async () => {
    const standard = await fixture.submit();
    const { opened, open } = gate();
    const order: string[] = [];
    await fixture.consume(async (delivery) => {
      if (order.push(delivery.id) > 1) return completes();
      await opened;
      return interrupted;
    });
    await fixture.begun(standard.id);
    const urgent = await fixture.submit({ fields: { lane: "interactive" } });
    open();
    await Promise.all([standard, urgent].map(({ id }) => fixture.ended(id)));
    expect(order).toEqual([standard.id, urgent.id, standard.id]);
  });
});

describe("throttled", () => {
  test("spends no attempt, however often", async () => {
    let runs = 0;
    await fixture.consume(() => (++runs <= 5 ? throttled(1) : completes()));
    const job = await fixture.ended((await fixture.submit({ attempts: 1 })).id);
    expect(job).toMatchObject({ state: "completed", attemptsMade: 1 });
    expect(outcomesOf(job)).toEqual([...Array.from({ length: 5 }, () => "throttled"), "completed"]);
  });

  test("lets the job wait, with its attempts, while others run", async () => {
    const first = await fixture.submit({ attempts: 1 });
    await fixture.consume((delivery) => (delivery.id === first.id ? throttled(60_000) : completes()));
    const second = await fixture.submit();
    await fixture.ended(second.id);
    expect(await fixture.read(first.id)).toMatchObject({ state: "delayed", attemptsMade: 0 });
  });
});

test("a job another team put, without options of ours, is retried once as BullMQ has it, and recorded", async () => {
  await fixture.consume(inTurn(retries(), completes()));
  const { id, queueName } = await fixture.submit();
  await fixture.ended(id);
  const other = id.replace(/^j..../, "j0000");
  await fixture.space.queue(queueName).add("infer", { tenant: "globex" }, { jobId: other, attempts: 2 });
  expect(await fixture.ended(other)).toMatchObject({ state: "completed", job: undefined });
});

test("progress of a start that is over is not written", async () => {
  const late: Delivery[] = [];
  await fixture.consume((delivery) => {
    late.push(delivery);
    return completes();
  });
  const { id } = await fixture.submit();
  await fixture.ended(id);
  await expect(late[0]?.recordBackend("gpu-2")).rejects.toMatchObject({ code: "lock_lost" });
  await expect(late[0]?.appendTokens({ text: "late" }, 0)).rejects.toMatchObject({ code: "lock_lost" });
  expect((await fixture.read(id)).starts[0]?.backend).toBeUndefined();
});
