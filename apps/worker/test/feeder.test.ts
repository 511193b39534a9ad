import { randomBytes } from "node:crypto";
import { type Simulator, startSimulator } from "@forebay/ollama-simulator";
import { closeRedis, openQueueSpace, openRedis, type QueueSpace, waitForRedis } from "@forebay/queue-bullmq";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createFleet, type Fleet } from "../src/backends/fleet.ts";
import { openBackend } from "../src/backends/backend.ts";
import { createLeaseKeeper, type LeaseKeeper } from "../src/backends/lease-keeper.ts";
import { createElsewhere } from "../src/dispatch/elsewhere.ts";
import { createFeeder, type Feeder, type Seat } from "../src/dispatch/feeder.ts";

const [model, other] = ["llama3.2:3b", "qwen3:8b"];
const entries = [model, other].map((name) => ({ name: `q:${name}`, model: name, runner: {} }));
const waitMsMax = 60_000;

let stack: AsyncDisposableStack;
let simulators: Simulator[];
let space: QueueSpace;
let fleet: Fleet;
let leases: LeaseKeeper;
let feeder: Feeder;
let paused: Set<string>;
let loads: string[];
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const opened = [await startSimulator({ maxLoaded: 1 }), await startSimulator({ maxLoaded: 1 })];
  simulators = opened.map((each) => stack.use(each));
  const prefix = `feeder-${randomBytes(4).toString("hex")}`;
  const client = openRedis({ url: inject("redisUrl"), prefix }, "consumer", prefix, () => undefined);
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, 10_000);
  space = openQueueSpace(client, prefix);
  stack.defer(() => space.close());
  fleet = createFleet((settings) => openBackend(settings, () => []));
  stack.defer(() => fleet.close());
  [paused, loads] = [new Set(), []];
});
afterEach(() => stack.disposeAsync());

/** A feeder of the first so many hosts, one slot for each model on each. */
async function feed(hosts: number): Promise<void> {
  const wanted = simulators
    .slice(0, hosts)
    .map(({ url }, index) => ({ name: `gpu-${index + 1}`, url, slots: () => 1 }));
  fleet.match(wanted);
  await Promise.all(fleet.backends.map((backend) => backend.refresh()));
  leases = createLeaseKeeper(
    space,
    { worker: "w1", leaseMs: 15_000 },
    () => undefined,
    () => undefined,
  );
  stack.defer(() => leases.close());
  feeder = createFeeder({
    backends: () => fleet.backends,
    leases,
    elsewhere: createElsewhere(),
    passedOverMsMax: { interactive: waitMsMax, standard: waitMsMax, batch: 5 * waitMsMax },
    isPaused: (name) => paused.has(name),
    onLoad: ({ backend, resident }) => loads.push(`${resident.model} on ${backend.name}`),
  });
  feeder.know(entries);
}
const head = (name: string, tag: number, sinceMs = 0) => {
  const lane = "standard" as const;
  return { queueName: `q:${name}`, id: `${name} ${tag}`, tag, sinceMs, lane, waiting: 1 };
};
/** What is chosen once the leases it asked for are there. */
const choose = (heads: ReturnType<typeof head>[], nowMs = Date.now()): Promise<Seat> =>
  waitFor(() => feeder.choose(heads, nowMs)?.seat, { what: "a head is chosen" });
/** The model is loaded there, as after a call. */
async function load(seat: Seat): Promise<void> {
  seat.backend.residency.loaded(seat.resident);
  const { model: name } = seat.resident;
  const simulator = simulators[Number(seat.backend.name.slice(-1)) - 1];
  const body = JSON.stringify({ model: name, prompt: "x", stream: false, options: { num_predict: 1 } });
  await fetch(`${simulator?.url}/api/generate`, { method: "POST", body });
  await seat.backend.refreshLoaded();
  feeder.leave(seat);
}

test("what is chosen holds its slot until it leaves, in Redis too", async () => {
  await feed(1);
  const seat = await choose([head(model, 5)]);
  expect([seat.backend.name, seat.cold, seat.backend.busy(model)]).toEqual(["gpu-1", true, 1]);
  expect(loads).toEqual([`${model} on gpu-1`]);
  expect(await space.client.hkeys(space.key("slots", "gpu-1", model))).toEqual(["w1"]);
  expect(feeder.choose([head(model, 6)], Date.now())).toBeUndefined();
  feeder.leave(seat);
  expect(seat.backend.busy(model)).toBe(0);
  expect(feeder.choose([head(model, 6)], Date.now())).toBeDefined();
});

test("nothing is chosen for a paused model, a drained host, or a queue that is not served", async () => {
  await feed(1);
  paused.add(model);
  expect(feeder.choose([head(model, 1)], Date.now())).toBeUndefined();
  expect((await choose([head(model, 1), head(other, 2)])).resident.model).toBe(other);
  paused.clear();
  fleet.drain(new Set(["gpu-1"]));
  expect(feeder.choose([head(model, 1)], Date.now())).toBeUndefined();
  fleet.drain(new Set());
  feeder.know([]);
  expect(feeder.choose([head(model, 1)], Date.now())).toBeUndefined();
  expect(feeder.modelOf(`q:${model}`)).toBe("");
});

test("a head that was passed over for as long as it may be goes first whatever it costs", async () => {
  await feed(1);
  await load(await choose([head(model, 1)]));
  const begun = Date.now();
  const heads = [head(model, 20, begun), head(other, 10, begun)];
  const first = await choose(heads, begun);
  expect([first.resident.model, first.cold]).toEqual([model, false]);
  feeder.leave(first);
  const later = await choose(heads, begun + waitMsMax + 1);
  expect([later.resident.model, later.cold]).toEqual([other, true]);
});

test("what began before a job was put has not passed it over", async () => {
  await feed(1);
  await load(await choose([head(model, 1)]));
  const begun = Date.now();
  feeder.leave(await choose([head(model, 20, begun), head(other, 10, begun)], begun));
  const soon = begun + waitMsMax + 1;
  const next = await choose([head(model, 20, soon), head(other, 11, soon)], soon);
  expect(next.resident.model).toBe(model);
});

test("a job that comes to the front was passed over as long as the one before it", async () => {
  await feed(1);
  await load(await choose([head(model, 1)]));
  const begun = Date.now();
  feeder.leave(await choose([head(model, 20, begun), head(other, 10, begun)], begun));
  const soon = begun + waitMsMax + 1;
  const next = await choose([head(model, 20, begun), head(other, 11, begun)], soon);
  expect([next.resident.model, next.cold]).toEqual([other, true]);
});

test("a job that failed on a host gets a slot of another one, and gives back the first", async () => {
  await feed(2);
  const seat = await choose([head(model, 1)]);
  const moved = await feeder.elsewhere(seat, seat.backend.name);
  expect(moved.backend.name).not.toBe(seat.backend.name);
  expect([seat.backend.busy(model), moved.backend.busy(model)]).toEqual([0, 1]);
  expect(await feeder.elsewhere(moved, seat.backend.name)).toBe(moved);
});

test("it keeps the slot it has where no other host can take it", async () => {
  await feed(2);
  fleet.drain(new Set(["gpu-2"]));
  const seat = await choose([head(model, 1)]);
  expect(await feeder.elsewhere(seat, "gpu-1")).toBe(seat);
});
