import { mkdtemp, readdir, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { logKey, type QueueSpace, readJob, createQueueDirectory } from "@forebay/queue-bullmq";
import { openFaultyProxy, type RedisSandbox, startRedis, waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { countEvents, followThrough } from "./follow-through.ts";
import {
  createLiveStack,
  ended,
  followToEnd,
  get,
  lastView,
  type LiveStack,
  post,
  submit,
  textOf,
} from "./live-fixture.ts";
import type { SseEvent } from "./read-events.ts";

const story = { options: { num_predict: 300, seed: 7 } };
const quickLocks = { WORKER_LOCK_MS: "3000", WORKER_STALLED_CHECK_MS: "300" };

const restartsIn = (events: readonly SseEvent[]): number =>
  events.filter(({ event }) => event === "restart").length;

function expectWhole(events: readonly SseEvent[]): void {
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
  expect(textOf(events)).toBe(lastView(events).result?.response);
}

describe("a worker whose connection breaks", () => {
  let live: LiveStack;
  let api: string;
  beforeEach(async () => {
    live = await createLiveStack(inject("redisUrl"), { tokensPerS: 100 });
    api = (await live.startApi()).url;
  });
  afterEach(() => live[Symbol.asyncDispose]());

  test("after tokens were written and before it was told so writes them once", async () => {
    await using proxy = await openFaultyProxy(inject("redisUrl"));
    // Stopped before the proxy is: without Redis it would wait for it.
    await using _worker = await live.startWorker({ REDIS_URL: proxy.url });
    const id = await submit(api, story);
    const tokens = countEvents("token");
    const reading = followThrough([api], id, tokens);
    for (const count of [3, 8, 13, 18, 23]) {
      await tokens.reached(count);
      proxy.fail('{"text":', "lose_answer");
      await proxy.failed();
    }
    const { events } = await reading;
    expectWhole(events);
    expect(restartsIn(events)).toBe(0);
  });

  test("after it has begun a job and before it was told so begins it once", async () => {
    await using proxy = await openFaultyProxy(inject("redisUrl"));
    // Stopped before the proxy is: without Redis it would wait for it.
    await using _worker = await live.startWorker({ REDIS_URL: proxy.url });
    await ended(api, await submit(api));
    const space = await live.openSpace();
    // The only request of a start that names the log and the live channel together.
    proxy.fail(`${space.prefix}:live:`, "lose_answer");
    const id = await submit(api);
    const { events } = await followThrough([api], id);
    expectWhole(events);
    const states = events.filter(({ event }) => event === "state").map(({ data }) => data["state"]);
    expect(states).toEqual(["waiting", "active"]);
    const job = await readJob(space, createQueueDirectory(space), id);
    expect(job?.starts).toHaveLength(1);
  });

  test("for good once the answer is kept: it is taken over, and readers see no restart", async () => {
    await using proxy = await openFaultyProxy(inject("redisUrl"));
    const worker = await live.startWorker({ ...quickLocks, REDIS_URL: proxy.url });
    const id = await submit(api, story);
    const tokens = countEvents("token");
    const reading = followThrough([api], id, tokens);
    await tokens.reached(3);
    proxy.fail('"done_reason"', "stall");
    await proxy.failed();
    await worker.kill("SIGKILL");
    await live.startWorker(quickLocks);
    const { events } = await reading;
    expectWhole(events);
    expect(restartsIn(events)).toBe(0);
    expect(live.simulator.stats().requests).toBe(1);
    expect(lastView(events)).toMatchObject({ state: "completed", attempts_made: 1 });
  });
});

describe("a Redis that comes back without its last entries", () => {
  let dir: string;
  let redis: RedisSandbox;
  let live: LiveStack;
  let api: string;
  let space: QueueSpace;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), "forebay-truth-"));
    redis = await startRedis({ dir });
    live = await createLiveStack(redis.url, { tokensPerS: 60 });
    api = (await live.startApi()).url;
    space = await live.openSpace();
  });
  afterEach(async () => {
    await live[Symbol.asyncDispose]();
    await redis.stop();
    await rm(dir, { recursive: true });
  });

  async function aofFile(): Promise<string> {
    const folder = path.join(dir, "appendonlydir");
    return path.join(folder, (await readdir(folder)).find((name) => name.endsWith(".incr.aof")) ?? "");
  }

  async function lengthOfLog(id: string): Promise<number> {
    const job = await readJob(space, createQueueDirectory(space), id);
    return space.client.xlen(logKey(space.jobKey(job?.queueName ?? "", id)));
  }

  /** Lets a job write some tokens, and stops Redis as a power failure would: the last never got to the disk. */
  async function losePower(
    id: string,
    tokens: { reached: (count: number) => Promise<void> },
    beforeRestart: () => Promise<void> = async () => undefined,
  ): Promise<{ before: number; after: number }> {
    await tokens.reached(20);
    const { size } = await stat(await aofFile());
    await tokens.reached(40);
    const before = await lengthOfLog(id);
    await beforeRestart();
    await redis.kill("SIGKILL");
    await truncate(await aofFile(), size);
    await redis.restart();
    return { before, after: await lengthOfLog(id) };
  }

  test("the worker notices, writes the text anew, and every reader ends with the result", async () => {
    await live.startWorker();
    const id = await submit(api, story);
    const tokens = countEvents("token");
    const reading = followThrough([api], id, tokens).catch((error: unknown) => error);
    const { before, after } = await losePower(id, tokens);
    expect(after).toBeLessThan(before - 3);
    const view = await ended(api, id);
    expect(view.state).toBe("completed");
    // From the beginning, from before the loss, and from a number that Redis had forgotten.
    for (const position of [0, after - 2, after + 3]) {
      const events = await followToEnd(api, id, position);
      expect(restartsIn(events)).toBe(1);
      expect(textOf(events)).toBe(view.result?.response);
      expect(events.map((event) => event.id)).toEqual(
        events.map((event) => event.id).toSorted((a, b) => a - b),
      );
    }
    // Who was there is told that the next events are not there, or gets the text anew.
    const read = await reading;
    if (read instanceof Error) expect(read.message).toMatch(/410|offset_lost/);
    else expect(textOf((read as { events: SseEvent[] }).events)).toBe(view.result?.response);
  });

  test("a reader ahead of the log is told so, and never gets another text", async () => {
    const worker = await live.startWorker();
    const id = await submit(api, story);
    const tokens = countEvents("token");
    const abort = followThrough([api], id, tokens).catch(() => undefined);
    const { before } = await losePower(id, tokens, () => worker.kill("SIGKILL"));
    await expect(followThrough([api], id, { after: before })).rejects.toMatchObject({ status: 410 });
    await post(api, `/jobs/${id}/cancel`);
    await live.startTimekeeper();
    await abort;
  });
});

test("an id that another job's stream gave out, and this one's has not, is refused", async () => {
  await using live = await createLiveStack(inject("redisUrl"));
  const { url } = await live.startApi();
  await live.startWorker();
  const long = await followToEnd(url, await submit(url, story));
  const short = await submit(url, { options: { num_predict: 3 } });
  await ended(url, short);
  await expect(followToEnd(url, short, long.length)).rejects.toMatchObject({ status: 410 });
  const waiting = await submit(url, { delay_ms: 600_000 });
  await expect(followToEnd(url, waiting, 3)).rejects.toMatchObject({ status: 410 });
  await post(url, `/jobs/${waiting}/cancel`);
});

test("the stream of an embedding tells its states and its end; that of a delayed job begins with that", async () => {
  await using live = await createLiveStack(inject("redisUrl"));
  const { url } = await live.startApi();
  await live.startWorker();
  const namesOf = (events: readonly SseEvent[]) =>
    events.map(({ event, data }) => (event === "state" ? data["state"] : event));
  const embed = { model: "nomic-embed-text", prompt: undefined, options: undefined, input: ["a", "b"] };
  const embedded = await followToEnd(url, await submit(url, embed));
  expect(namesOf(embedded)).toEqual(["waiting", "active", "completed"]);
  expect(lastView(embedded)).toEqual((await get(url, `/jobs/${lastView(embedded).job_id}`)).body);
  const delayed = await followToEnd(url, await submit(url, { stream: false, delay_ms: 50 }));
  expect(namesOf(delayed)).toEqual(["delayed", "active", "completed"]);
});

test("a job is accepted also when nobody can wait for it", async () => {
  await using proxy = await openFaultyProxy(inject("redisUrl"));
  await using live = await createLiveStack(inject("redisUrl"));
  const { url } = await live.startApi({ REDIS_URL: proxy.url });
  await live.startWorker();
  const space = await live.openSpace();
  await submit(url);
  proxy.fail(`${space.prefix}:live:`, "stall");
  const body = { model: "llama3.2:3b", prompt: "x", options: { num_predict: 3 } };
  const answer = await post(url, "/jobs", body, { prefer: "wait=30" });
  expect(answer.status).toBe(202);
  await waitFor(async () => (await readJob(space, createQueueDirectory(space), answer.body.job_id))?.result, {
    what: "the job ended",
  });
});
