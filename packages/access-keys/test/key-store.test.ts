import { randomBytes } from "node:crypto";
import { closeRedis, openQueueSpace, openRedis, waitForRedis } from "@forebay/queue-bullmq";
import type {} from "@forebay/test-harness";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createKeyStore, hashKey, KeyExistsError, KeyNotFoundError } from "../src/index.ts";

const prefix = `keys-${randomBytes(4).toString("hex")}`;
const client = openRedis({ url: inject("redisUrl"), prefix }, "producer", "test", () => undefined);
const space = openQueueSpace(client, prefix);
const store = createKeyStore(space);
beforeAll(() => waitForRedis(client, 10_000));
afterAll(async () => {
  await client.del(space.key("keys"));
  await space.close();
  await closeRedis(client);
});

test("a rotated key answers to its new secret alone, and is the same key", async () => {
  const { key, record } = await store.create({ name: "a", tenant: "t" });
  const rotated = await store.rotate(record.id);
  expect(await store.find(hashKey(key))).toBeUndefined();
  expect(await store.find(hashKey(rotated.key))).toEqual({ ...record, hash: hashKey(rotated.key) });
});

test("of a rotation and a disabling at the same time neither undoes the other", async () => {
  for (let round = 0; round < 50; round++) {
    const { key, record } = await store.create({ name: `race-${round}`, tenant: "t" });
    const [rotated] = await Promise.all([store.rotate(record.id), store.setDisabled(record.id, true)]);
    const found = (await store.list()).filter(({ id }) => id === record.id);
    expect(found).toEqual([{ ...record, hash: hashKey(rotated.key), disabled: true }]);
    expect(await store.find(hashKey(key))).toBeUndefined();
  }
});

test("a secret is one key's alone", async () => {
  const secret = "an-old-secret-that-callers-have";
  const { record } = await store.create({ name: "first", tenant: "t" }, secret);
  const again = store.create({ name: "second", tenant: "t" }, secret);
  await expect(again).rejects.toThrow(KeyExistsError);
  await expect(again).rejects.toThrow(record.id);
});

test("what is asked of a key that is not there says where to look", async () => {
  await expect(store.rotate("key_none")).rejects.toThrow(KeyNotFoundError);
  await expect(store.setDisabled("key_none", true)).rejects.toThrow("forebay keys list");
});
