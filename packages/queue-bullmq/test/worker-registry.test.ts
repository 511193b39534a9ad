import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { announceWorker, readRegistry, retractWorker, type WorkerLease } from "../src/index.ts";
import { createFixture, type Fixture } from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const leaseOf = (worker: string, ...models: string[]): WorkerLease => ({
  worker,
  started_at: "2026-01-01T00:00:00.000Z",
  backends: [{ name: "gpu-1", up: true, slots: 1, models: models.map((name) => ({ name, loaded: false })) }],
  finished_per_s: { "llama3.2:3b": 0.5 },
});
const announce = (lease: WorkerLease, leaseS = 60) => announceWorker(fixture.space, lease, leaseS);
const modelsKnown = async () => [...(await readRegistry(fixture.space)).models].toSorted();
const workersLive = async () =>
  (await readRegistry(fixture.space)).leases.map(({ worker }) => worker).toSorted();

test("nothing is known before the first worker", async () => {
  expect(await readRegistry(fixture.space)).toEqual({ leases: [], models: new Set() });
});

test("live workers are known with what they say, and their models under their full names", async () => {
  await announce(leaseOf("w-1", "llama3.2:3b", "qwen3"));
  await announce(leaseOf("w-2", "llama3.2:3b"));
  const { leases } = await readRegistry(fixture.space);
  expect(leases).toHaveLength(2);
  expect(leases).toContainEqual(leaseOf("w-2", "llama3.2:3b"));
  expect(await modelsKnown()).toEqual(["llama3.2:3b", "qwen3:latest"]);
});

test("what a worker says last holds", async () => {
  await announce(leaseOf("w-1", "old"));
  await announce(leaseOf("w-1", "new"));
  expect(await modelsKnown()).toEqual(["new:latest"]);
});

test("a lease that is not renewed ends by Redis's clock, and the worker is forgotten", async () => {
  await announce(leaseOf("w-1", "llama3.2:3b"), 1);
  expect(await workersLive()).toEqual(["w-1"]);
  await waitFor(async () => (await workersLive()).length === 0, { what: "the lease ended" });
  expect(await fixture.space.client.smembers(fixture.space.key("workers"))).toEqual([]);
});

test("a lease taken back ends at once", async () => {
  await announce(leaseOf("w-1", "a"));
  await announce(leaseOf("w-2", "b"));
  await retractWorker(fixture.space, "w-1");
  expect(await workersLive()).toEqual(["w-2"]);
  expect(await modelsKnown()).toEqual(["b:latest"]);
});

test("while no worker lives the models of the last ones are remembered, and no longer once one does", async () => {
  await announce(leaseOf("w-1", "a", "b"));
  await retractWorker(fixture.space, "w-1");
  expect(await modelsKnown()).toEqual(["a:latest", "b:latest"]);
  await announce(leaseOf("w-2", "c"));
  expect(await modelsKnown()).toEqual(["c:latest"]);
});

test("a worker whose hosts are all away keeps what is remembered", async () => {
  await announce(leaseOf("w-1", "a"));
  await announce({ ...leaseOf("w-1"), backends: [] });
  expect(await modelsKnown()).toEqual([]);
  await retractWorker(fixture.space, "w-1");
  expect(await modelsKnown()).toEqual(["a:latest"]);
});

test("a lease nobody can read is passed over", async () => {
  await announce(leaseOf("w-1", "a"));
  await announce(leaseOf("w-2", "b"));
  await fixture.space.client.set(fixture.space.key("worker", "w-2"), '{"worker":7}');
  expect(await workersLive()).toEqual(["w-1"]);
});
