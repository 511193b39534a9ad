import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { countOpenJobs, type Delivery, LockLostError, logKey, type Outcome } from "../src/index.ts";
import {
  abortOf,
  completes,
  createFixture,
  type Fixture,
  gate,
  type Handler,
  resultSaying,
} from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** A handler that works until it is told to end, or aborted, and then hands the job back. */
function worksUntil(opened: Promise<void>, reasons: unknown[] = []): Handler {
  return async (delivery) => {
    const reason = await Promise.race([opened, abortOf(delivery.signal)]);
    if (reason === undefined) return completes();
    reasons.push(reason);
    return { kind: "interrupted" };
  };
}

describe("closing", () => {
  test("waits for what runs, and takes nothing more", async () => {
    const { opened, open } = gate();
    const consumer = await fixture.consume(worksUntil(opened));
    const [running, next] = [await fixture.submit(), await fixture.submit()];
    await fixture.begun(running.id);
    const closing = consumer.close(new AbortController().signal);
    open();
    await closing;
    // All is written when it is closed, the tenant's index too.
    expect(await fixture.read(running.id)).toMatchObject({ state: "completed" });
    expect(await fixture.read(next.id)).toMatchObject({ state: "waiting", starts: [] });
    expect(await countOpenJobs(fixture.space, "acme")).toBe(1);
  });

  test("interrupts what still runs at its deadline, which keeps its attempts and its place", async () => {
    const reasons: unknown[] = [];
    const consumer = await fixture.consume(worksUntil(new Promise(() => undefined), reasons));
    const [running, next] = [await fixture.submit({ attempts: 1 }), await fixture.submit()];
    await fixture.begun(running.id);
    const deadline = new AbortController();
    const closing = consumer.close(deadline.signal);
    expect(reasons).toEqual([]);
    deadline.abort();
    await closing;
    expect(reasons).toEqual(["shutdown"]);
    expect(await fixture.read(running.id)).toMatchObject({ state: "waiting", position: 0, attemptsMade: 0 });
    expect(await fixture.read(next.id)).toMatchObject({ state: "waiting", position: 1, starts: [] });
  });

  test("with a deadline that has passed interrupts at once", async () => {
    const reasons: unknown[] = [];
    const consumer = await fixture.consume(worksUntil(new Promise(() => undefined), reasons));
    const { id } = await fixture.submit();
    await fixture.begun(id);
    await consumer.close(AbortSignal.abort());
    expect(reasons).toEqual(["shutdown"]);
  });

  test("twice is closing once", async () => {
    const consumer = await fixture.consume(() => completes());
    const { signal } = new AbortController();
    await Promise.all([consumer.close(signal), consumer.close(signal)]);
    await consumer.close(signal);
  });
});

describe("pausing", () => {
  test("takes nothing more while what runs goes on, and resuming takes up again", async () => {
    const { opened, open } = gate();
    const consumer = await fixture.consume(worksUntil(opened));
    const [running, next] = [await fixture.submit(), await fixture.submit()];
    await fixture.begun(running.id);
    consumer.pause();
    open();
    await fixture.ended(running.id);
    expect(await fixture.read(next.id)).toMatchObject({ state: "waiting", starts: [] });
    consumer.resume();
    expect(await fixture.ended(next.id)).toMatchObject({ state: "completed" });
  });
});

test("a consumer runs as many jobs at once as it is told, and no more", async () => {
  let now = 0;
  let most = 0;
  const { opened, open } = gate();
  const consumer = await fixture.consume(
    async () => {
      most = Math.max(most, ++now);
      await opened;
      now--;
      return completes();
    },
    { concurrency: 2 },
  );
  const places = await Promise.all(Array.from({ length: 6 }, () => fixture.submit()));
  const active = () => fixture.space.queue(places[0]?.queueName ?? "").getActiveCount();
  await fixture.until(places[0]?.id ?? "", "two run", async () => (await active()) === 2);
  consumer.setConcurrency(3);
  open();
  await Promise.all(places.map(({ id }) => fixture.ended(id)));
  expect(most).toBeGreaterThanOrEqual(2);
  expect(most).toBeLessThanOrEqual(3);
});

describe("an idle consumer elsewhere, which would look again only after seconds, is woken", () => {
  /** What BullMQ's idle consumers block on. */
  const marker = (queueName: string) => `${fixture.space.jobKey(queueName, "marker")}`;
  const isWoken = async (queueName: string): Promise<boolean> =>
    (await fixture.space.client.zscore(marker(queueName), "0")) === "0";

  /** Takes a job and pauses; `finish` ends the job as said, nobody having been woken before. */
  async function takeOne(outcome: Outcome) {
    const { opened, open } = gate();
    const consumer = await fixture.consume(async (delivery) => {
      await Promise.race([opened, abortOf(delivery.signal)]);
      await fixture.space.client.unlink(marker(queueName));
      return outcome;
    });
    const { id, queueName } = await fixture.submit();
    await fixture.begun(id);
    return { id, queueName, consumer, finish: open };
  }

  test("when a job is handed back", async () => {
    const { id, queueName, consumer, finish } = await takeOne({ kind: "interrupted" });
    consumer.pause();
    finish();
    await fixture.until(id, "it waits again", (job) => job.state === "waiting");
    await fixture.until(id, "the others are woken", () => isWoken(queueName));
  });

  test("when a consumer closes, whose place is free now", async () => {
    const { queueName, consumer, finish } = await takeOne(completes());
    const closing = consumer.close(new AbortController().signal);
    finish();
    await closing;
    expect(await isWoken(queueName)).toBe(true);
  });
});

describe("a worker that lost its lock", () => {
  /** Takes the lock away, as if the worker had been silent for longer than it holds. */
  const stealLock = (queueName: string, id: string) =>
    fixture.space.client.set(`${fixture.space.jobKey(queueName, id)}:lock`, "another worker");

  test("is told, and what it answers is thrown away", async () => {
    const reasons: unknown[] = [];
    let first = true;
    await fixture.consume(
      async (delivery) => {
        if (!first) return completes("the second time");
        first = false;
        reasons.push(await abortOf(delivery.signal));
        return completes("the first time");
      },
      { lockMs: 2_000, stalledCheckMs: 500 },
    );
    const { id, queueName } = await fixture.submit();
    await fixture.begun(id);
    await stealLock(queueName, id);
    await fixture.until(id, "the lock is missed", () => reasons.length > 0);
    expect(reasons).toEqual(["lock_lost"]);
    await fixture.space.client.unlink(`${fixture.space.jobKey(queueName, id)}:lock`);
    const job = await fixture.ended(id);
    expect(job).toMatchObject({
      state: "completed",
      result: resultSaying("the second time"),
      attemptsMade: 1,
    });
    expect(job.starts.map((start) => start.outcome)).toEqual([undefined, "completed"]);
  });

  test("writes nothing, whatever it tries, even before it has been told", async () => {
    const { opened, open } = gate();
    const thrown: unknown[] = [];
    const attempt = async (work: Promise<unknown>): Promise<void> => {
      thrown.push(await work.catch((error: unknown) => error));
    };
    await fixture.consume(async (delivery: Delivery) => {
      await opened;
      await attempt(delivery.recordBackend("gpu-1"));
      await attempt(delivery.appendTokens({ text: "late" }, 0));
      return completes("late");
    });
    const { id, queueName } = await fixture.submit();
    await fixture.begun(id);
    await stealLock(queueName, id);
    const key = fixture.space.jobKey(queueName, id);
    const before = await fixture.space.client.hgetall(key);
    const logBefore = await fixture.space.client.xlen(logKey(key));
    open();
    await fixture.until(id, "the consumer gave up", () => fixture.seen.errors.length > 0);
    expect(thrown.map((error) => error instanceof LockLostError)).toEqual([true, true]);
    expect(await fixture.space.client.hgetall(key)).toEqual(before);
    expect(await fixture.space.client.xlen(logKey(key))).toBe(logBefore);
  });
});

test("a job that comes back to the worker that lost it ends the old start, and the new one can be stopped", async () => {
  const reasons: unknown[][] = [];
  const consumer = await fixture.consume(
    async (delivery) => {
      const start = reasons.push([]) - 1;
      reasons[start]?.push(await abortOf(delivery.signal));
      return { kind: "discard", failure: { code: "cancelled", message: "enough" } };
    },
    { concurrency: 2, lockMs: 60_000, stalledCheckMs: 100 },
  );
  const { id, queueName } = await fixture.submit();
  await fixture.begun(id);
  await fixture.space.client.unlink(`${fixture.space.jobKey(queueName, id)}:lock`);
  await fixture.until(
    id,
    "it runs again, and the old start has ended",
    () => reasons.length === 2 && reasons[0]?.length === 1,
  );
  expect(reasons).toEqual([["lock_lost"], []]);
  await fixture.until(id, "the old start was thrown away", () => fixture.seen.errors.length > 0);
  expect(consumer.stopJob(id, "cancelled")).toBe(true);
  const job = await fixture.ended(id);
  expect(reasons).toEqual([["lock_lost"], ["cancelled"]]);
  expect(job.starts.map((start) => start.outcome)).toEqual([undefined, "discard"]);
});

test("a job whose worker vanished is run by another one, and the loss is told", async () => {
  const { opened, open } = gate();
  // It renews its lock too seldom to notice anything.
  const vanishing = await fixture.consume(worksUntil(opened), { lockMs: 60_000, stalledCheckMs: 100 });
  const { id, queueName } = await fixture.submit();
  await fixture.begun(id);
  await fixture.space.client.unlink(`${fixture.space.jobKey(queueName, id)}:lock`);
  await fixture.consume(() => completes("by the second"), { stalledCheckMs: 100 });
  expect(await fixture.ended(id)).toMatchObject({ result: resultSaying("by the second") });
  expect(fixture.seen.stalled).toBe(1);
  open();
  await vanishing.close(new AbortController().signal);
});

test("a job that outlives more workers than the policy allows has failed as worker_lost", async () => {
  const { opened, open } = gate();
  const { id, queueName } = await fixture.submit();
  const policy = { workerLossesMax: 1 };
  for (const lost of [1, 2]) {
    const consumer = await fixture.consume(worksUntil(opened), {
      policy,
      stalledCheckMs: 100,
      lockMs: 60_000,
    });
    await fixture.until(id, `start ${lost}`, (job) => job.starts.length === lost && job.state === "active");
    // Its place in the world is gone, though it goes on.
    consumer.pause();
    await fixture.space.client.unlink(`${fixture.space.jobKey(queueName, id)}:lock`);
  }
  await fixture.consume(() => completes(), { policy, stalledCheckMs: 100 });
  expect(await fixture.ended(id)).toMatchObject({ state: "failed", failure: { code: "worker_lost" } });
  open();
});
