import { createJobId, defaultDeliveryPolicy } from "@forebay/queue-contracts";
import { freePort, type RedisSandbox, startRedis, waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  addJob,
  checkRedis,
  closeRedis,
  isRedisUnavailable,
  openQueueSpace,
  openRedis,
  type QueueSpace,
  type Redis,
  type RedisRole,
  waitForRedis,
} from "../src/index.ts";
import { generateJob } from "./queue-fixture.ts";

const prefix = "open-redis";
let redis: RedisSandbox;
let opened: Redis[];
beforeEach(async () => {
  redis = await startRedis();
  opened = [];
});
afterEach(async () => {
  await redis.kill("SIGCONT");
  await Promise.all(opened.map(closeRedis));
  await redis.stop();
});

function open(role: RedisRole, url = redis.url, password?: string): Redis {
  const client = openRedis({ url, password, prefix }, role, "a-test", () => undefined);
  opened.push(client);
  return client;
}

async function openSpace(role: RedisRole): Promise<QueueSpace> {
  const client = open(role);
  await waitForRedis(client, 10_000);
  return openQueueSpace(client, prefix);
}

const queueOf = (model: string): string => `{infer.${model}.abcdefgh}`;
function add(space: QueueSpace, model: string, id = createJobId("abcdefgh")): Promise<unknown> {
  return addJob(space, { id, queueName: queueOf(model), job: generateJob(), policy: defaultDeliveryPolicy });
}

/** What became of a promise within the two seconds in which a client must be told. */
async function withinTwoSeconds(
  work: Promise<unknown>,
): Promise<"done" | "refused" | "still waiting" | "wrong"> {
  const late = new Promise<"still waiting">((resolve) => {
    AbortSignal.timeout(2_000).addEventListener("abort", () => resolve("still waiting"));
  });
  const outcome = work.then(
    () => "done" as const,
    (error: unknown) => (isRedisUnavailable(error) ? ("refused" as const) : ("wrong" as const)),
  );
  return Promise.race([outcome, late]);
}

/** Everything a request may ask of Redis, all at once and a little after. */
async function askEverything(space: QueueSpace, newQueue: string): Promise<string[]> {
  const asked: Promise<string>[] = [];
  for (const delayMs of [0, 100, 700]) {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    asked.push(
      withinTwoSeconds(add(space, "known")),
      withinTwoSeconds(add(space, `${newQueue}-${delayMs}`)),
      withinTwoSeconds(space.client.hgetall("some-job")),
      withinTwoSeconds(space.queue(queueOf("known")).getJobState("some-job")),
      withinTwoSeconds(checkRedis(space.client)),
    );
  }
  return Promise.all(asked);
}

describe("a producer", () => {
  test("is refused within two seconds while Redis is away, and served again when it is back", async () => {
    const space = await openSpace("producer");
    await add(space, "known");
    await redis.kill("SIGKILL");
    expect(new Set(await askEverything(space, "away"))).toEqual(new Set(["refused"]));
    await redis.restart();
    await waitFor(() => checkRedis(space.client).then(() => true), { what: "Redis answers again" });
    expect(await askEverything(space, "back")).not.toContain("refused");
    // Queues that were first used while Redis was away work now.
    await add(space, "away-0");
    expect(await space.queue(queueOf("away-0")).count()).toBe(1);
  });

  test("is refused within two seconds while Redis is frozen, and served again when it thaws", async () => {
    const space = await openSpace("producer");
    await add(space, "known");
    await redis.kill("SIGSTOP");
    expect(new Set(await askEverything(space, "frozen"))).toEqual(new Set(["refused"]));
    await redis.kill("SIGCONT");
    await waitFor(() => checkRedis(space.client).then(() => true), { what: "Redis answers again" });
    await add(space, "frozen-0");
    expect(await space.queue(queueOf("frozen-0")).count()).toBeGreaterThanOrEqual(1);
  });

  test("that repeats under the same id what Redis did not answer has put one job", async () => {
    const space = await openSpace("producer");
    const id = createJobId("abcdefgh");
    await redis.kill("SIGSTOP");
    expect(await withinTwoSeconds(add(space, "known", id))).toBe("refused");
    await redis.kill("SIGCONT");
    await waitFor(() => checkRedis(space.client).then(() => true), { what: "Redis answers again" });
    await add(space, "known", id);
    expect(await space.queue(queueOf("known")).count()).toBe(1);
  });

  test("is refused before it was ever connected", async () => {
    const client = open("producer", `redis://127.0.0.1:${await freePort()}`);
    const space = openQueueSpace(client, prefix);
    expect(await withinTwoSeconds(add(space, "known"))).toBe("refused");
    expect(await withinTwoSeconds(checkRedis(client))).toBe("refused");
  });
});

describe("a consumer", () => {
  test("waits while Redis is frozen", async () => {
    const space = await openSpace("consumer");
    await redis.kill("SIGSTOP");
    const asked = withinTwoSeconds(add(space, "known"));
    const answered = space.client.ping();
    expect(await asked).toBe("still waiting");
    await redis.kill("SIGCONT");
    expect(await answered).toBe("PONG");
    expect(await space.queue(queueOf("known")).count()).toBe(1);
  });

  test("waits while Redis is away", async () => {
    const space = await openSpace("consumer");
    await redis.kill("SIGKILL");
    const answered = space.client.ping();
    const added = add(space, "new");
    await redis.restart();
    expect(await answered).toBe("PONG");
    await added;
    expect(await space.queue(queueOf("new")).count()).toBe(1);
  });
});

test("what is sent in one turn is answered in its order", async () => {
  const { client } = await openSpace("producer");
  const replies = await Promise.all([
    client.set("k", "1"),
    client.incr("k"),
    client.get("k"),
    client.pipeline().incr("k").get("k").exec(),
    client.get("k"),
  ]);
  expect(replies).toEqual([
    "OK",
    2,
    "2",
    [
      [null, 3],
      [null, "3"],
    ],
    "3",
  ]);
});

describe("waiting for Redis", () => {
  test("ends when it is there", async () => {
    const client = open("consumer");
    await waitForRedis(client, 10_000);
    await waitForRedis(client, 10_000);
    expect(client.listenerCount("ready")).toBe(0);
    expect(await client.client("GETNAME")).toBe("a-test");
  });

  test("is given up with a text for the operator", async () => {
    const port = await freePort();
    const client = open("consumer", `redis://127.0.0.1:${port}`);
    await expect(waitForRedis(client, 100)).rejects.toThrow(
      `Redis at 127.0.0.1:${port} did not answer within 100 ms; see REDIS_URL`,
    );
    expect(client.listenerCount("ready")).toBe(0);
  });
});

test("a password may stand apart from the URL", async () => {
  await open("consumer").config("SET", "requirepass", "open sesame");
  const client = open("consumer", redis.url, "open sesame");
  await waitForRedis(client, 10_000);
  await checkRedis(client);
});

describe("closing ends the connection", () => {
  test.each(["producer", "consumer"] as const)("of a %s while Redis is frozen", async (role) => {
    const client = open(role);
    await waitForRedis(client, 10_000);
    await redis.kill("SIGSTOP");
    await closeRedis(client);
    await waitFor(() => client.status === "end", { what: "the connection ended" });
  });

  test("while Redis is away, and only once", async () => {
    const client = open("consumer");
    await waitForRedis(client, 10_000);
    await redis.kill("SIGKILL");
    await waitFor(() => client.status !== "ready", { what: "the loss is noticed" });
    await closeRedis(client);
    await closeRedis(client);
    await redis.restart();
    const probe = openRedis({ url: redis.url, prefix }, "consumer", "probe", () => undefined);
    opened.push(probe);
    await waitForRedis(probe, 10_000);
    expect(await probe.client("LIST")).not.toContain("name=a-test");
  });

  test("of a client whose commands are still under way, after they are answered", async () => {
    const client = open("consumer");
    await waitForRedis(client, 10_000);
    const answered = client.set("k", "v");
    await closeRedis(client);
    expect(await answered).toBe("OK");
  });
});
