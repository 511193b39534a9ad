import { once } from "node:events";
import { freePort, startRedis } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { TurnRedis } from "../src/redis/turn-redis.ts";

const prefix = `turn-redis-${process.pid}`;
let client: TurnRedis;
beforeEach(() => {
  client = new TurnRedis(inject("redisUrl"));
});
afterEach(async () => {
  await client.del(`${prefix}:list`);
  client.disconnect();
});

test("commands of one turn leave in few writes", async () => {
  await client.ping();
  const writes = vi.spyOn(client.stream, "_writev" as "write");
  const single = vi.spyOn(client.stream, "_write" as "write");
  await Promise.all(Array.from({ length: 20 }, (_, i) => client.rpush(`${prefix}:list`, i)));
  expect(writes.mock.calls.length + single.mock.calls.length).toBeLessThanOrEqual(4);
});

test("commands of one turn leave in their order, and each gets its own answer", async () => {
  await client.ping();
  const answers = Array.from({ length: 100 }, (_, i) => client.rpush(`${prefix}:list`, i));
  expect(client.stream.writableCorked).toBe(1);
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  expect(client.stream.writableCorked).toBe(0);
  expect(await client.lrange(`${prefix}:list`, 0, -1)).toEqual(
    Array.from({ length: 100 }, (_, i) => String(i)),
  );
});

test("commands given while an answer is handled are not forgotten", async () => {
  const chain = async (): Promise<number> => {
    for (let i = 0; i < 50; i++) await client.rpush(`${prefix}:list`, i);
    return client.llen(`${prefix}:list`);
  };
  await Promise.all([chain(), chain()]);
  expect(await client.llen(`${prefix}:list`)).toBe(100);
});

test("a command that fails takes no other one with it", async () => {
  const answers = await Promise.allSettled([
    client.rpush(`${prefix}:list`, "a"),
    client.incr(`${prefix}:list`),
    client.rpush(`${prefix}:list`, "b"),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

test("commands given before the connection is there, and after it was lost, arrive", async () => {
  await using redis = await startRedis({ port: await freePort() });
  const other = new TurnRedis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  other.on("error", () => undefined);
  try {
    expect(await other.set("early", "1")).toBe("OK");
    const lost = once(other, "close");
    await redis.kill("SIGKILL");
    await lost;
    const late = [other.get("early"), other.set("late", "2")];
    await redis.restart();
    expect(await Promise.all(late)).toEqual(["1", "OK"]);
  } finally {
    other.disconnect();
  }
});

test("what was given right before the farewell still leaves", async () => {
  const last = new TurnRedis(inject("redisUrl"));
  await last.ping();
  const written = last.rpush(`${prefix}:list`, "last");
  await last.quit();
  expect(await written).toBe(1);
});
