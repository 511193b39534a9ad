import { liveChannel } from "@forebay/queue-bullmq";
import { type RedisSandbox, startRedis, waitFor } from "@forebay/test-harness";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
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

/** Some seconds of tokens, the same in every run. */
const story = { options: { num_predict: 500, seed: 7 } };
const quickLocks = { WORKER_LOCK_MS: "3000", WORKER_STALLED_CHECK_MS: "300" };

function expectWhole(events: readonly SseEvent[]): void {
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
  expect(textOf(events)).toBe(lastView(events).result?.response);
}

const restartsIn = (events: readonly SseEvent[]): number =>
  events.filter(({ event }) => event === "restart").length;

describe("with the API killed", () => {
  let live: LiveStack;
  beforeAll(async () => {
    live = await createLiveStack(inject("redisUrl"), { tokensPerS: 60, numParallel: 2 });
    await live.startWorker({ WORKER_CONCURRENCY: "2" });
  });
  afterAll(() => live[Symbol.asyncDispose]());

  test("and started again at the same port, a reader that comes back has lost nothing", async () => {
    const [replica, first] = [await live.startApi(), await live.startApi()];
    const id = await submit(replica.url, story);
    const tokens = countEvents("token");
    const reading = followThrough([first.url], id, tokens);
    const whole = followToEnd(replica.url, id);
    let api = first;
    for (const count of [5, 20, 35]) {
      await tokens.reached(count);
      await api.kill("SIGKILL");
      api = await live.startApi({ API_PORT: new URL(first.url).port });
    }
    const { events, connections } = await reading;
    expect(connections).toBeGreaterThan(3);
    expect(events).toEqual(await whole);
    expectWhole(events);
  });

  test("a reader goes on at another replica", async () => {
    const [replica, api] = [await live.startApi(), await live.startApi()];
    const id = await submit(replica.url, story);
    const tokens = countEvents("token");
    const reading = followThrough([replica.url, api.url], id, tokens);
    await tokens.reached(20);
    await api.kill("SIGKILL");
    const { events } = await reading;
    expect(events).toEqual(await followToEnd(replica.url, id));
    expectWhole(events);
  });
});

describe("with a worker lost in the middle of an answer", () => {
  let live: LiveStack;
  let api: string;
  beforeEach(async () => {
    live = await createLiveStack(inject("redisUrl"), { tokensPerS: 150, numParallel: 2 });
    api = (await live.startApi()).url;
  });
  afterEach(() => live[Symbol.asyncDispose]());

  test("by a kill, readers drop what they have and end with the result, wherever they came in", async () => {
    const worker = await live.startWorker(quickLocks);
    const id = await submit(api, story);
    const tokens = countEvents("token");
    const whole = followThrough([api], id, tokens);
    await tokens.reached(10);
    await worker.kill("SIGKILL");
    await live.startWorker(quickLocks);
    const { events } = await whole;
    expectWhole(events);
    expect(restartsIn(events)).toBe(1);
    for (const after of [1, 5, 12, events.length - 1]) {
      expect(await followToEnd(api, id, after)).toEqual(events.slice(after));
    }
    expect(await get(api, `/jobs/${id}`)).toMatchObject({ body: { state: "completed", attempts_made: 1 } });
  });

  test("by an orderly stop, it is begun anew elsewhere, and the stream says so", async () => {
    const worker = await live.startWorker({ WORKER_SHUTDOWN_GRACE_S: "0.1" });
    const id = await submit(api, story);
    const tokens = countEvents("token");
    const whole = followThrough([api], id, tokens);
    await tokens.reached(10);
    await worker.stop();
    await live.startWorker();
    const { events } = await whole;
    expectWhole(events);
    expect(restartsIn(events)).toBe(1);
    const states = events.filter(({ event }) => event === "state").map(({ data }) => data["state"]);
    expect(states).toEqual(["waiting", "active", "waiting", "active"]);
  });

  test("by a pause longer than its lock, and back: one result, one end, and view and stream agree", async () => {
    const paused = await live.startWorker(quickLocks);
    const id = await submit(api, story);
    const tokens = countEvents("token");
    const whole = followThrough([api], id, tokens);
    await tokens.reached(10);
    await paused.kill("SIGSTOP");
    await live.startWorker(quickLocks);
    // Its slot is its own until its lease is over: Ollama is still busy with its call.
    await waitFor(() => live.simulator.stats().requests === 2, {
      what: "another worker has begun it",
      timeoutMs: 40_000,
    });
    await paused.kill("SIGCONT");
    const { events } = await whole;
    expectWhole(events);
    expect(restartsIn(events)).toBe(1);
    await waitFor(() => live.simulator.stats().active === 0, { what: "both calls have ended" });
    expect(await followToEnd(api, id)).toEqual(events);
    expect(lastView(events)).toEqual((await get(api, `/jobs/${id}`)).body);
    expect(lastView(events)).toMatchObject({ state: "completed", attempts_made: 1 });
  });

  test("several workers in turn, and every part of the stream tells the truth", async () => {
    const patient = { ...quickLocks, DELIVERY_WORKER_LOSSES_MAX: "10" };
    const worker = [await live.startWorker(patient)];
    const id = await submit(api, story);
    const tokens = countEvents("token");
    const whole = followThrough([api], id, tokens);
    for (const count of [5, 15, 25]) {
      await tokens.reached(count);
      await worker.at(-1)?.kill("SIGKILL");
      worker.push(await live.startWorker(patient));
    }
    const { events } = await whole;
    expectWhole(events);
    expect(restartsIn(events)).toBe(3);
  });
});

describe("with Redis", () => {
  let redis: RedisSandbox;
  let live: LiveStack;
  let api: string;
  beforeEach(async () => {
    redis = await startRedis();
    live = await createLiveStack(redis.url, { tokensPerS: 100, numParallel: 2 });
    api = (await live.startApi()).url;
    await live.startWorker({ WORKER_CONCURRENCY: "2" });
  });
  afterEach(async () => {
    await live[Symbol.asyncDispose]();
    await redis.stop();
  });

  test("killed and restarted again and again, nothing is lost and nothing comes twice", async () => {
    const id = await submit(api, story);
    const tokens = countEvents("token");
    const reading = followThrough([api], id, tokens);
    const waiting = get(api, `/jobs/${id}?wait=60`);
    for (const count of [10, 30, 50]) {
      await tokens.reached(count);
      await redis.kill("SIGKILL");
      await redis.restart();
    }
    const { events } = await reading;
    expectWhole(events);
    expect(restartsIn(events)).toBe(0);
    expect(await followToEnd(api, id)).toEqual(events);
    expect((await waiting).status).toBe(200);
    expect(live.simulator.stats().requests).toBe(1);
  });

  test("frozen for seconds, readers and waiters stay and get the rest when it thaws", async () => {
    // Before the story begins: on a slow machine it would be over by the time a process is up.
    const { url: replica } = await live.startApi();
    const id = await submit(api, story);
    const tokens = countEvents("token");
    const reading = followThrough([api], id, tokens);
    await tokens.reached(10);
    const waiting = get(replica, `/jobs/${id}?wait=60`);
    const space = await live.openSpace();
    const followers = async () => (await space.client.pubsub("NUMSUB", liveChannel(space, id)))[1];
    await waitFor(async () => Number(await followers()) === 2, { what: "both replicas follow the job" });
    await redis.kill("SIGSTOP");
    expect((await post(api, "/jobs", { model: "llama3.2:3b", prompt: "x" })).status).toBe(503);
    expect((await fetch(`${api}/jobs/${id}/events`)).status).toBe(503);
    await redis.kill("SIGCONT");
    const { events, connections } = await reading;
    expect(connections).toBe(1);
    expectWhole(events);
    expect(await waiting).toMatchObject({ status: 200, body: { state: "completed" } });
  });

  test("frozen, a reader that goes before it was answered harms nobody", async () => {
    const own = await live.startApi({ API_STREAM_HEARTBEAT_S: "0.05" });
    const id = await submit(api, { options: { num_predict: 5 } });
    await ended(api, id);
    await redis.kill("SIGSTOP");
    const gone = Array.from({ length: 20 }, () =>
      fetch(`${own.url}/jobs/${id}/events`, { signal: AbortSignal.timeout(300) }).catch(() => undefined),
    );
    await Promise.all(gone);
    await redis.kill("SIGCONT");
    expectWhole((await followThrough([own.url], id)).events);
    expectWhole((await followThrough([own.url], await submit(api, story))).events);
    expect(own.running()).toBe(true);
  });
});
