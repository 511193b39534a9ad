import { getEventListeners } from "node:events";
import { beforeEach, expect, test } from "vitest";
import type { Backend } from "./backend.ts";
import { type BackendPool, createBackendPool } from "./backend-pool.ts";

type Host = { name: string; slots: number; serves: boolean };

/** A host that can be turned off and on, with the bookkeeping of a real one. */
function backend(host: Host): Backend {
  let busy = 0;
  const seen: Pick<Backend, "name" | "slots" | "models" | "serves" | "busy" | "take" | "release"> = {
    name: host.name,
    get slots() {
      return host.slots;
    },
    models: [],
    serves: () => host.serves,
    busy: () => busy,
    take: () => void busy++,
    release: () => void busy--,
  };
  return seen as Backend;
}

const never = new AbortController().signal;
let hosts: [Host, Host];
let pool: BackendPool;
beforeEach(() => {
  hosts = [
    { name: "a", slots: 1, serves: true },
    { name: "b", slots: 1, serves: true },
  ];
  pool = createBackendPool(hosts.map(backend));
});

/** Whether the promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  await new Promise(setImmediate);
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

test("the capacity is the slots of every host that serves the model", () => {
  expect(pool.capacity("m")).toBe(2);
  hosts[0].serves = false;
  expect(pool.capacity("m")).toBe(1);
  hosts[1].slots = 4;
  expect(pool.capacity("m")).toBe(4);
});

test("a free slot is taken at once, on a host other than the one to avoid", async () => {
  expect((await pool.acquire("m", "a", never))?.backend.name).toBe("b");
  expect((await pool.acquire("m", "b", never))?.backend.name).toBe("a");
});

test("without a free slot it waits for one that is given back", async () => {
  const [first] = [await pool.acquire("m", undefined, never), await pool.acquire("m", undefined, never)];
  const waiting = pool.acquire("m", undefined, never);
  expect(await isSettled(waiting)).toBe(false);
  first?.release();
  expect((await waiting)?.backend.name).toBe(first?.backend.name);
});

test("one slot given back wakes all and serves one", async () => {
  const taken = [await pool.acquire("m", undefined, never), await pool.acquire("m", undefined, never)];
  const waiting = Promise.race([pool.acquire("m", undefined, never), pool.acquire("m", undefined, never)]);
  taken[0]?.release();
  await waiting;
  expect(pool.backends.map((each) => each.busy("m"))).toEqual([1, 1]);
});

test("a host that came up or got more slots is seen when the pool is woken", async () => {
  hosts[1].serves = false;
  await pool.acquire("m", undefined, never);
  const waiting = pool.acquire("m", undefined, never);
  hosts[1].serves = true;
  expect(await isSettled(waiting)).toBe(false);
  pool.wake();
  expect((await waiting)?.backend.name).toBe("b");
});

test("nobody waits for a model no host can serve, not even who waited already", async () => {
  const taken = [await pool.acquire("m", undefined, never), await pool.acquire("m", undefined, never)];
  const waiting = pool.acquire("m", undefined, never);
  hosts[0].serves = false;
  hosts[1].serves = false;
  expect(await pool.acquire("m", undefined, never)).toBeUndefined();
  taken[0]?.release();
  expect(await waiting).toBeUndefined();
});

test("a wait that is aborted ends without a slot", async () => {
  const abort = new AbortController();
  await pool.acquire("m", undefined, never);
  await pool.acquire("m", undefined, never);
  const waiting = pool.acquire("m", undefined, abort.signal);
  abort.abort();
  expect(await waiting).toBeUndefined();
  expect(await pool.acquire("m", undefined, abort.signal)).toBeUndefined();
});

test("a long wait leaves nothing on the signal", async () => {
  const { signal } = new AbortController();
  const taken = [await pool.acquire("m", undefined, never), await pool.acquire("m", undefined, never)];
  const waiting = pool.acquire("m", undefined, signal);
  for (let wakes = 0; wakes < 20; wakes++) {
    pool.wake();
    await new Promise(setImmediate);
  }
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  taken[0]?.release();
  await waiting;
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});
