import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  createLiveStack,
  ended,
  followToEnd,
  get,
  lastView,
  type LiveStack,
  model,
  post,
  submit,
  textOf,
} from "./live-fixture.ts";
import { NoStreamError, readEvents, type SseEvent } from "./read-events.ts";
import { setTimeout } from "node:timers/promises";
import { waitFor } from "@forebay/test-harness";

let live: LiveStack;
let api: string;
let replica: string;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { numParallel: 4 });
  const [first, second] = await Promise.all([
    live.startApi({ API_STREAM_STALL_S: "3" }),
    live.startApi(),
    live.startWorker({ WORKER_CONCURRENCY: "4" }),
  ]);
  api = first.url;
  replica = second.url;
});
afterAll(() => live[Symbol.asyncDispose]());

const numbersOf = (events: readonly SseEvent[]): number[] => events.map((event) => event.id);
const risingFrom = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + i);

test("a reader sees states and tokens, numbered without gaps, and the job as last event", async () => {
  const id = await submit(api);
  const events = await followToEnd(api, id);
  expect(numbersOf(events)).toEqual(risingFrom(1, events.length));
  expect(events.slice(0, 2).map(({ event, data }) => [event, data["state"]])).toEqual([
    ["state", "waiting"],
    ["state", "active"],
  ]);
  const last = events.at(-1);
  expect(last?.event).toBe("completed");
  expect(textOf(events)).toBe(lastView(events).result?.response);
  expect(last?.data).toEqual((await get(api, `/jobs/${id}`)).body);
});

test("a job long finished replays the same events, from any replica", async () => {
  const id = await submit(api);
  const seen = await followToEnd(api, id);
  expect(await followToEnd(replica, id)).toEqual(seen);
  expect(await followToEnd(replica, id, 5)).toEqual(seen.slice(5));
});

test("a reader that breaks off fifty times loses nothing and gets nothing twice", async () => {
  const id = await submit(api, { options: { num_predict: 400, seed: 2 } });
  const whole = followToEnd(replica, id);
  const pieces: SseEvent[] = [];
  let breaks = 0;
  while (pieces.at(-1)?.event !== "completed") {
    const breakAfter = breaks < 50 ? 1 + ((breaks * 7) % 5) : Number.POSITIVE_INFINITY;
    const url = `${breaks % 2 === 0 ? api : replica}/jobs/${id}/events`;
    for await (const event of readEvents(url, pieces.at(-1)?.id ?? 0, { breakAfter })) pieces.push(event);
    breaks++;
  }
  expect(breaks).toBeGreaterThan(10);
  expect(pieces).toEqual(await whole);
});

test("two readers at different positions each get what is theirs", async () => {
  const id = await submit(api, { options: { num_predict: 100, seed: 3 } });
  const [all, late] = await Promise.all([followToEnd(api, id), followToEnd(api, id, 1)]);
  expect(late).toEqual(all.slice(1));
});

test("a chat's thinking and tool calls are streamed, and are those of the result", async () => {
  const id = await submit(api, {
    model: "qwen3:8b",
    prompt: undefined,
    options: { num_predict: 1_000, seed: 1 },
    messages: [{ role: "user", content: "[call:get_weather] in Ghent" }],
    tools: [{ type: "function", function: { name: "get_weather", parameters: { type: "object" } } }],
  });
  const events = await followToEnd(api, id);
  const message = lastView(events).result?.message ?? {};
  const tokens = events.filter(({ event }) => event === "token").map(({ data }) => data);
  expect(tokens.map((data) => data["thinking"] ?? "").join("")).toBe(message["thinking"] ?? "");
  expect(tokens.flatMap((data) => data["tool_calls"] ?? [])).toEqual(message["tool_calls"]);
});

const countsOf = (events: readonly SseEvent[]): unknown[] =>
  events.filter(({ event }) => event === "progress").map(({ data }) => data["tokens"]);

test.each([true, false])(
  "who follows a long answer is told how far it is, with stream: %s",
  async (stream) => {
    const id = await submit(api, { stream, options: { num_predict: 500, seed: 5 } });
    const events = await followToEnd(api, id);
    expect(numbersOf(events)).toEqual(risingFrom(1, events.length));
    const counts = countsOf(events) as number[];
    expect(counts.length).toBeGreaterThanOrEqual(1);
    expect(counts.toSorted((a, b) => a - b)).toEqual(counts);
    const made = Number((lastView(events).result as { eval_count?: number } | null)?.eval_count);
    expect(counts.every((count) => count > 0 && count <= made)).toBe(true);
    expect(events.some(({ event }) => event === "token")).toBe(stream);
    expect(await followToEnd(replica, id)).toEqual(events);
  },
);

test("stream: false keeps no tokens; its events tell states and the end", async () => {
  const id = await submit(api, { stream: false });
  const events = await followToEnd(api, id);
  expect(new Set(events.map(({ event }) => event))).toEqual(new Set(["state", "completed"]));
});

test("partial output is taken back with restart, and what follows is the result", async () => {
  live.simulator.setFault({ kind: "reset", after_tokens: 8, times: 1, match_prompt: "restart me" });
  const id = await submit(api, { prompt: "restart me" });
  const events = await followToEnd(api, id);
  expect(events.filter(({ event }) => event === "restart")).toHaveLength(1);
  expect(textOf(events)).toBe(lastView(events).result?.response);
});

test("a job that is put back goes on with the next number after its end", async () => {
  live.simulator.setFault({
    kind: "500",
    message: 'option "x" must be of type integer',
    times: 1,
    match_prompt: "again",
  });
  const id = await submit(api, { prompt: "again" });
  const failed = await followToEnd(api, id);
  expect(failed.at(-1)?.event).toBe("failed");
  await post(api, `/jobs/${id}/retry`);
  const after = failed.at(-1)?.id ?? 0;
  const events = await followToEnd(api, id, after);
  expect(numbersOf(events)).toEqual(risingFrom(after + 1, events.length));
  expect(events.at(-1)?.event).toBe("completed");
  expect(textOf(events)).toBe(lastView(events).result?.response);
});

test("a browser that comes back after the last event is told to stop", async () => {
  const id = await submit(api);
  const events = await followToEnd(api, id);
  await expect(followToEnd(api, id, events.length)).rejects.toMatchObject({ status: 204 });
});

describe("positions that cannot be right", () => {
  test.each([
    ["-1", 400],
    ["3.5", 400],
    ["abc", 400],
    ["99999999999999999999", 400],
    ["100000", 410],
  ])("%s → %d", async (position, status) => {
    const id = await submit(api);
    await ended(api, id);
    const answer = await fetch(`${api}/jobs/${id}/events`, { headers: { "last-event-id": position } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    await answer.body?.cancel();
  });

  test("an id of no job is 404, not a stream", async () => {
    await expect(followToEnd(api, `j${"0".repeat(33)}`)).rejects.toBeInstanceOf(NoStreamError);
  });
});

test("a log whose beginning is gone answers 410, never a shorter text", async () => {
  const id = await submit(api);
  await ended(api, id);
  const { openRedis, closeRedis } = await import("@forebay/queue-bullmq");
  const prefix = live.env["FOREBAY_KEY_PREFIX"] ?? "";
  const redis = openRedis({ url: live.env["REDIS_URL"] ?? "", prefix }, "consumer", "test", () => undefined);
  try {
    const [key = ""] = await redis.keys(`${prefix}:*${id}:logs`);
    await redis.xtrim(key, "MAXLEN", 3);
    await expect(followToEnd(api, id)).rejects.toMatchObject({ status: 410 });
    await redis.del(key);
    await expect(followToEnd(api, id)).rejects.toMatchObject({ status: 410 });
  } finally {
    await closeRedis(redis);
  }
});

test("a reader that does not read is cut off, and costs the others nothing", async () => {
  const { connect } = await import("node:net");
  const id = await submit(api, { prompt: "flood", options: { num_predict: 4_000 } });
  await waitFor(async () => (await get(api, `/jobs/${id}`)).body.state === "active", { what: "it runs" });
  await post(api, `/jobs/${id}/cancel`);
  await ended(api, id);
  // A job whose log is larger than any buffer in between: a stream of it must end before it is all sent.
  const { openRedis, closeRedis } = await import("@forebay/queue-bullmq");
  const prefix = live.env["FOREBAY_KEY_PREFIX"] ?? "";
  const redis = openRedis({ url: live.env["REDIS_URL"] ?? "", prefix }, "consumer", "test", () => undefined);
  const [key = ""] = await redis.keys(`${prefix}:*${id}:logs`);
  const text = "x".repeat(10_000);
  for (let i = 0; i < 2_000; i++) await redis.xadd(key, "0-*", "e", "token", "d", JSON.stringify({ text }));
  await closeRedis(redis);
  const socket = connect(Number(new URL(api).port), "127.0.0.1");
  socket.pause();
  socket.write(`GET /jobs/${id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  const open = async (): Promise<number> => {
    const body = await (await fetch(`${api}/models`)).text();
    return body.length;
  };
  expect(await open()).toBeGreaterThan(0);
  const received: Buffer[] = [];
  // Longer than it may stall, and not as long as it has to take note of that; a reader that reads gets all of it
  // in the same time.
  const [whole] = await Promise.all([followToEnd(api, id), setTimeout(4_500)]);
  expect(textOf(whole).length).toBeGreaterThanOrEqual(20_000_000);
  socket.on("data", (chunk) => received.push(chunk));
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
  // Cut off where it stopped reading, its last words being an error if it listens in time.
  const heard = Buffer.concat(received);
  expect(heard.length).toBeLessThan(15_000_000);
  expect(heard.includes("event: cancelled")).toBe(false);
});

test("an answer can be had in the same request, if it comes in time", async () => {
  const body = { model, prompt: "quick", options: { num_predict: 5 } };
  const quick = await post(api, "/jobs", body, { prefer: "wait=20" });
  expect([quick.status, quick.body.state]).toEqual([200, "completed"]);
  expect(quick.headers.get("preference-applied")).toBe("wait=20");
  const slow = await post(api, "/jobs", { ...body, options: { num_predict: 4_000 } }, { prefer: "wait=1" });
  expect([slow.status, slow.body.state]).toEqual([202, "active"]);
  await post(api, `/jobs/${slow.body.job_id}/cancel`);
  const async_ = await post(api, "/jobs", body, { prefer: "respond-async" });
  expect([async_.status, async_.headers.get("preference-applied")]).toEqual([202, "respond-async"]);
});

test("a waiter is woken by the next state, on whatever replica it waits", async () => {
  const id = await submit(api, { options: { num_predict: 200, seed: 4 } });
  const seen = [(await get(replica, `/jobs/${id}`)).body.state];
  while (seen.at(-1) !== "completed") {
    const { status, body } = await get(replica, `/jobs/${id}?wait=30`);
    expect(status).toBe(200);
    seen.push(body.state);
  }
  expect(seen.length).toBeLessThanOrEqual(3);
});

test.each(["-1", "61", "1.5", "soon"])("?wait=%s is refused", async (wait) => {
  const id = await submit(api);
  expect((await get(api, `/jobs/${id}?wait=${wait}`)).status).toBe(400);
});

test("a client that goes while it waits leaves its job running, or takes it along if it said so", async () => {
  for (const [onDisconnect, state] of [
    ["cancel", "cancelled"],
    ["detach", "active"],
  ] as const) {
    const abort = new AbortController();
    const marker = `gone-${onDisconnect}`;
    const request = fetch(`${api}/jobs`, {
      method: "POST",
      signal: abort.signal,
      headers: {
        "content-type": "application/json",
        prefer: "wait=30",
        "forebay-on-disconnect": onDisconnect,
      },
      body: JSON.stringify({ model, prompt: "x", options: { num_predict: 4_000 }, metadata: { marker } }),
    });
    const find = async () => (await get(api, `/jobs?metadata[marker]=${marker}`)).body.jobs[0];
    await waitFor(async () => (await find())?.state === "active", { what: "the job runs" });
    abort.abort();
    await expect(request).rejects.toThrow();
    await waitFor(async () => (await find())?.state === state, { what: `the job is ${state}` });
    await post(api, `/jobs/${(await find())?.job_id}/cancel`);
  }
});
