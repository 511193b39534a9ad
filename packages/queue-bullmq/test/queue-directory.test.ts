import { affinityOf, inferenceQueueName, queueDirectoryKey, queueTag } from "@forebay/queue-contracts";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import {
  closeRedis,
  createQueueDirectory,
  openQueueSpace,
  openRedis,
  QueueDirectoryFullError,
  waitForRedis,
  watchQueueDirectory,
} from "../src/index.ts";
import { createFixture, type Fixture } from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
  await fixture.space.client.unlink(queueDirectoryKey(fixture.prefix));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const affinity = (model: string, num_ctx?: number) => affinityOf({ model, options: { num_ctx } });
const directoryWith = (queuesMax?: number) => createQueueDirectory(fixture.space, queuesMax);

test("a queue is entered once and found by the tag in its jobs' ids", async () => {
  const [llama, wide] = [affinity("llama3.2:3b"), affinity("llama3.2:3b", 8_192)];
  const directory = directoryWith();
  expect(await directory.ensure(llama)).toBe(inferenceQueueName(llama));
  expect(await directory.ensure(llama)).toBe(inferenceQueueName(llama));
  await directory.ensure(wide);
  expect((await directory.list()).toSorted((a, b) => a.name.localeCompare(b.name))).toHaveLength(2);
  // Another process, which has entered nothing itself.
  const other = directoryWith();
  expect(await other.nameOfTag(queueTag(wide))).toBe(inferenceQueueName(wide));
  expect(await other.nameOfTag("zzzzzzzz")).toBeUndefined();
  expect(await other.list()).toContainEqual({
    name: inferenceQueueName(wide),
    model: "llama3.2:3b",
    runner: { num_ctx: 8_192 },
  });
});

test("a full directory takes no new queue, and still leads to the old ones", async () => {
  const directory = directoryWith(2);
  await directory.ensure(affinity("a"));
  await directory.ensure(affinity("b"));
  await expect(directory.ensure(affinity("c"))).rejects.toThrow(QueueDirectoryFullError);
  expect(await directoryWith(2).ensure(affinity("b"))).toBe(inferenceQueueName(affinity("b")));
  await expect(directoryWith(2).ensure(affinity("c"))).rejects.toMatchObject({
    code: "queue_directory_full",
  });
  expect(await directory.list()).toHaveLength(2);
});

test("of many processes that enter a queue at once, one does", async () => {
  let told = 0;
  await using _watch = await watchQueueDirectory(fixture.space, () => void told++);
  const names = await Promise.all(Array.from({ length: 20 }, () => directoryWith().ensure(affinity("a"))));
  expect(new Set(names)).toEqual(new Set([inferenceQueueName(affinity("a"))]));
  await directoryWith().ensure(affinity("b"));
  await waitFor(() => told === 2, { what: "both queues were told of, once each" });
  expect(await directoryWith().list()).toHaveLength(2);
});

test("who watches is told of new queues, on every connection, and of known ones not again", async () => {
  const told: string[] = [];
  await using _first = await watchQueueDirectory(fixture.space, () => void told.push("first"));
  await using _second = await watchQueueDirectory(await fixture.openSpace(), () => void told.push("second"));
  const directory = directoryWith();
  await directory.ensure(affinity("a"));
  await directory.ensure(affinity("a"));
  await directoryWith().ensure(affinity("a"));
  await directory.ensure(affinity("b"));
  await waitFor(() => told.length === 4, { what: "two queues told to two" });
  expect(told.toSorted()).toEqual(["first", "first", "second", "second"]);
});

test("who no longer watches is not told, and its connection is gone", async () => {
  const name = `${fixture.prefix}-watcher`;
  const client = openRedis(
    { url: fixture.redisUrl, prefix: fixture.prefix },
    "consumer",
    name,
    () => undefined,
  );
  await waitForRedis(client, 10_000);
  const connections = async (): Promise<number> =>
    String(await fixture.space.client.client("LIST")).split(`name=${name} `).length - 1;
  let told = 0;
  const watch = await watchQueueDirectory(openQueueSpace(client, fixture.prefix), () => void told++);
  await directoryWith().ensure(affinity("a"));
  await waitFor(() => told === 1, { what: "it was told" });
  expect(await connections()).toBe(2);
  await watch[Symbol.asyncDispose]();
  await waitFor(async () => (await connections()) === 1, { what: "the subscriber left" });
  await directoryWith().ensure(affinity("b"));
  expect(told).toBe(1);
  await closeRedis(client);
});

test("an entry nobody can read is passed over", async () => {
  const directory = directoryWith();
  await directory.ensure(affinity("a"));
  const key = queueDirectoryKey(fixture.prefix);
  await fixture.space.client.hset(key, "broken01", "no JSON", "broken02", '{"name":7}');
  expect(await directory.list()).toHaveLength(1);
  expect(await directory.nameOfTag("broken01")).toBeUndefined();
});
