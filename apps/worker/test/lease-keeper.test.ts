import { randomBytes } from "node:crypto";
import {
  closeRedis,
  leaseSlots,
  openQueueSpace,
  openRedis,
  type QueueSpace,
  waitForRedis,
} from "@forebay/queue-bullmq";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createLeaseKeeper, type LeaseKeeper } from "../src/backends/lease-keeper.ts";

const [host, model] = ["gpu-1", "llama3.2:3b"];

let stack: AsyncDisposableStack;
let space: QueueSpace;
let errors: unknown[];
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  errors = [];
  const prefix = `leases-${randomBytes(4).toString("hex")}`;
  const client = openRedis({ url: inject("redisUrl"), prefix }, "consumer", prefix, () => undefined);
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, 10_000);
  stack.defer(async () => void (await client.del(`${prefix}:slots:${host}:${model}`)));
  space = openQueueSpace(client, prefix);
  stack.defer(() => space.close());
});
afterEach(() => stack.disposeAsync());

function keeper(worker: string, leaseMs = 15_000): LeaseKeeper & { told: number } {
  const opened = { told: 0 };
  const onChange = () => void opened.told++;
  const leases = createLeaseKeeper(space, { worker, leaseMs }, onChange, (error) => errors.push(error));
  stack.defer(() => leases.close());
  return Object.assign(opened, leases);
}
const held = (): Promise<Record<string, string>> =>
  space.client
    .hgetall(space.key("slots", host, model))
    .then((all) =>
      Object.fromEntries(Object.entries(all).map(([worker, text]) => [worker, text.split(" ")[0] ?? ""])),
    );
/** Takes as many as it is given. */
async function takeAll(leases: LeaseKeeper, limit: number): Promise<number> {
  let taken = 0;
  while (await leases.takeSoon(host, model, limit)) taken++;
  return taken;
}

test("a slot is there once Redis has said so, and its owner is told", async () => {
  const leases = keeper("w1");
  expect(leases.take(host, model, 2)).toBe(false);
  await waitFor(() => leases.told > 0, { what: "the answer is there" });
  expect([1, 2, 3].map(() => leases.take(host, model, 2))).toEqual([true, true, false]);
  expect(leases.free(host, model, 2)).toBe(0);
  leases.giveBack(host, model);
  expect(leases.free(host, model, 2)).toBe(1);
});

test("workers who share a host stay within its slots together, whoever asks first", async () => {
  const [a, b] = [keeper("w1"), keeper("w2")];
  const taken = await Promise.all([takeAll(a, 3), takeAll(b, 3)]);
  expect(taken.reduce((sum, each) => sum + each, 0)).toBe(3);
});

test("a slot that is not used is given to who asks for it", async () => {
  const [a, b] = [keeper("w1"), keeper("w2")];
  expect(await takeAll(a, 2)).toBe(2);
  expect(await b.takeSoon(host, model, 2)).toBe(false);
  a.giveBack(host, model);
  await waitFor(() => b.takeSoon(host, model, 2), { what: "the other one has it" });
  expect(await held()).toEqual({ w1: "1", w2: "1" });
});

test("a lower limit holds at once for what is taken next", async () => {
  const leases = keeper("w1");
  expect(await takeAll(leases, 4)).toBe(4);
  leases.giveBack(host, model);
  expect([leases.free(host, model, 2), leases.take(host, model, 2)]).toEqual([0, false]);
});

test("a worker that stops gives back all it holds", async () => {
  const [a, b] = [keeper("w1"), keeper("w2")];
  expect(await takeAll(a, 2)).toBe(2);
  await a.close();
  expect(await held()).toEqual({});
  expect(await takeAll(b, 2)).toBe(2);
});

test("what a worker held that says nothing any more is free when its lease is over", async () => {
  const leaseMs = 2_000;
  await leaseSlots(space, { backend: host, model, worker: "dead", want: 2, limit: 2, leaseMs });
  const leases = keeper("w1");
  expect(await leases.takeSoon(host, model, 2)).toBe(false);
  await waitFor(() => leases.takeSoon(host, model, 2), { what: "it has a slot" });
  expect(await held()).toEqual({ w1: "2" });
});

test("what a worker uses is its own for longer than a lease lasts", async () => {
  const leases = keeper("w1", 900);
  expect(await takeAll(leases, 2)).toBe(2);
  const until = async () => (await space.client.hget(space.key("slots", host, model), "w1"))?.split(" ")[1];
  const ends = new Set<string | undefined>();
  await waitFor(async () => ends.add(await until()).size > 4, { what: "it was renewed again and again" });
  expect(ends).not.toContain(undefined);
  expect(await keeper("w2").takeSoon(host, model, 2)).toBe(false);
});

test("a Redis that refuses gives no slot, is told, and is asked again", async () => {
  const leases = keeper("w1");
  const key = space.key("slots", host, model);
  await space.client.set(key, "not a hash");
  expect(await leases.takeSoon(host, model, 1)).toBe(false);
  expect(errors).toHaveLength(1);
  await space.client.del(key);
  await waitFor(() => leases.takeSoon(host, model, 1), { what: "it is asked again" });
});
