import { type RedisSandbox, startRedis } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openServiceRedis, type Redis } from "../src/index.ts";

let redis: RedisSandbox;
let stack: AsyncDisposableStack;
let stopping: AbortController;
let client: Redis;
beforeEach(async () => {
  redis = await startRedis();
  stack = new AsyncDisposableStack();
  stopping = new AbortController();
  client = await openServiceRedis(
    { stack, stopping: stopping.signal },
    {
      settings: { url: redis.url, prefix: "t" },
      role: "consumer",
      clientName: "t",
      onError: () => undefined,
    },
  );
});
afterEach(async () => {
  await stack.disposeAsync();
  await redis.kill("SIGCONT");
  await redis.stop();
});

const closed = { reason: { message: "Connection is closed." } };

test("what waits for an absent Redis fails some time after the process was told to stop, on copies too", async () => {
  const copy = stack.adopt(client.duplicate({ maxRetriesPerRequest: null }), (each) => each.disconnect());
  copy.on("error", () => undefined);
  await copy.ping();
  await redis.kill("SIGKILL");
  const waiting = Promise.allSettled([client.get("a"), copy.get("a")]);
  stopping.abort();
  expect(await waiting).toMatchObject([closed, closed]);
  expect(await Promise.allSettled([client.get("a")])).toMatchObject([closed]);
});

test("so does what waits for a frozen one", async () => {
  await redis.kill("SIGSTOP");
  const waiting = Promise.allSettled([client.get("a")]);
  stopping.abort();
  expect(await waiting).toMatchObject([closed]);
});

test("a Redis that comes back soon answers a process that stops", async () => {
  await client.set("a", "1");
  await redis.kill("SIGKILL");
  const waiting = client.set("b", "2");
  stopping.abort();
  await redis.restart();
  expect(await waiting).toBe("OK");
});

test("a process that stops goes on with a Redis that is there", async () => {
  stopping.abort();
  for (let round = 0; round < 20; round++) expect(await client.ping()).toBe("PONG");
});
