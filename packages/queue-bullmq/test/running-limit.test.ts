import { isFinalState } from "@forebay/queue-contracts";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import {
  cancelJob,
  countWaitingJobs,
  type Delivery,
  enforceDeadline,
  keepShares,
  listOpenJobs,
  lookAtQueue,
  noteRunningMax,
  type Outcome,
  readJobState,
  readQueueGauges,
  removeJob,
  retryJob,
} from "../src/index.ts";
import { wakeConsumers } from "../src/queues/wake-consumers.ts";
import {
  completes,
  createFixture,
  discards,
  type Fixture,
  gate,
  keysOf,
  type Place,
  retries,
} from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

type Put = Parameters<Fixture["submit"]>[0];
/** Costs what a start of the fixture's consumers takes. */
const put = (options: Put = {}): Promise<Place> => fixture.submit({ tenant: "acme", costMs: 7, ...options });

async function putMany(count: number, options: Put): Promise<Place[]> {
  const places: Place[] = [];
  for (let each = 0; each < count; each++) places.push(await put(options));
  return places;
}

/** Jobs that run until they are told to end. */
function createWork() {
  const running = new Map<string, () => void>();
  const started: string[] = [];
  return {
    running,
    started,
    async handle({ id, signal }: Delivery) {
      const { opened, open } = gate();
      signal.addEventListener("abort", open, { once: true });
      running.set(id, open);
      started.push(id);
      await opened;
      running.delete(id);
      return completes();
    },
    end: (id: string) => running.get(id)?.(),
    endAll() {
      for (const open of running.values()) open();
    },
  };
}

const inState = (places: readonly Place[]) =>
  Promise.all(places.map(async ({ id }) => (await fixture.read(id)).state));
const until = (what: string, holds: () => boolean | Promise<boolean>) =>
  waitFor(async () => ((await holds()) ? true : undefined), { what, timeoutMs: 20_000 });
const heldOn = async (queueName: string) => (await readQueueGauges(fixture.space, queueName)).held;
/** Keys of ours that say who is held and who runs, limits apart. */
const traces = async () =>
  (await keysOf(fixture.space)).filter((key) => /^[^:]+:(held|running:of|held:of)(:|$)/.test(key));

test("of a tenant no more run than may, over two workers and two models; others pass; all end, in order", async () => {
  const two = { fields: { model: "other:1b" } };
  const limited = await putMany(30, { runningMax: 2 });
  const [{ queueName }] = limited as [Place];
  limited.push(...(await putMany(30, { ...two, runningMax: 2 })));
  const others = [
    ...(await putMany(10, { tenant: "light" })),
    ...(await putMany(10, { ...two, tenant: "light" })),
  ];
  const otherQueue = limited.at(-1)?.queueName ?? "";
  const own = new Set(limited.map(({ id }) => id));
  let running = 0;
  let most = 0;
  const started: string[] = [];
  const work = async ({ id }: Delivery) => {
    if (!own.has(id)) return completes();
    started.push(id);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running--;
    return completes();
  };
  for (const name of [queueName, otherQueue, queueName, otherQueue]) {
    await fixture.consume(work, { queueName: name, concurrency: 4 });
  }
  for (const { id } of others) await fixture.ended(id);
  expect((await inState(limited)).filter((state) => !isFinalState(state))).not.toHaveLength(0);
  for (const { id } of limited) await fixture.ended(id);
  expect(most).toBe(2);
  const of = (name: string) => limited.filter((place) => place.queueName === name).map(({ id }) => id);
  for (const name of [queueName, otherQueue]) {
    const order = started.filter((id) => of(name).includes(id));
    // Two may start at the same moment, on two connections.
    for (const [index, id] of of(name).entries()) {
      expect(Math.abs(order.indexOf(id) - index)).toBeLessThanOrEqual(2);
    }
  }
  expect(fixture.seen.errors).toEqual([]);
  expect(await keysOf(fixture.space)).not.toContain(`${fixture.prefix}:held`);
});

test("a held job waits, is counted as waiting, and can be cancelled, expire and be deleted like any other", async () => {
  const work = createWork();
  const [first, ...rest] = await putMany(5, { runningMax: 1 });
  const [cancelled, deleted, last] = rest;
  if (!first || !cancelled || !deleted || !last) throw new Error("five were put");
  const late = await put({ runningMax: 1, fields: { start_by: Date.now() - 1 } });
  const { queueName } = first;
  await fixture.consume(work.handle, { concurrency: 3 });
  await until("the others are held", async () => (await heldOn(queueName)) === 5);
  expect([...work.running.keys()]).toEqual([first.id]);

  expect(await fixture.read(last.id)).toMatchObject({
    state: "waiting",
    standing: "met",
    position: undefined,
    tag: undefined,
  });
  expect(await readJobState(fixture.space, fixture.directory, last.id)).toBe("waiting");
  expect(await readQueueGauges(fixture.space, queueName)).toMatchObject({
    waiting: 5,
    held: 5,
    delayed: 0,
    active: 1,
    oldestWaitingS: 0,
  });
  expect(await countWaitingJobs(fixture.space, fixture.directory)).toBe(5);
  const open: string[] = [];
  for await (const jobs of listOpenJobs(fixture.space, fixture.directory, {})) {
    open.push(...jobs.map(({ state }) => state));
  }
  expect(open.toSorted()).toEqual(["active", ...Array(5).fill("waiting")]);
  expect((await lookAtQueue(fixture.space, queueName, Date.now())).head).toBeUndefined();

  // Should nobody let them go, BullMQ brings them back; here they are held again.
  const delayed = fixture.space.jobKey(queueName, "delayed");
  for (const { id } of rest) await fixture.space.client.zadd(delayed, "XX", 1, id);
  await wakeConsumers(fixture.space, queueName);
  await until("they are held again", async () => (await fixture.space.client.zcount(delayed, 0, 1)) === 0);
  await until("all of them", async () => (await fixture.space.client.zcard(delayed)) === 5);
  expect(await heldOn(queueName)).toBe(5);

  expect(await cancelJob(fixture.space, cancelled)).toBe("cancelled");
  expect(await removeJob(fixture.space, deleted)).toBe(true);
  expect(await enforceDeadline(fixture.space, fixture.directory, late.id, Date.now())).toBe("expired");
  expect(await heldOn(queueName)).toBe(2);

  work.end(first.id);
  for (const { id } of rest.slice(2)) {
    await until("the next one runs", () => work.running.has(id));
    expect(work.running.size).toBe(1);
    work.end(id);
    await fixture.ended(id);
  }
  expect(await traces()).toEqual([]);
  expect(await fixture.space.client.hget(`${fixture.prefix}:fair`, `w:${queueName}`)).toBeNull();
});

test("a limit that is raised, lowered or gone holds at once, also for what ran before there was one", async () => {
  const work = createWork();
  const places = await putMany(9, {});
  const [{ queueName }] = places as [Place];
  await fixture.consume(work.handle, { concurrency: 2 });
  await until("two run", () => work.running.size === 2);
  await noteRunningMax(fixture.space, "acme", 3);
  await keepShares(fixture.space, [queueName]);
  await fixture.consume(work.handle, { concurrency: 9 });
  await until("the others are held", async () => (await heldOn(queueName)) === 6);
  expect(work.running.size).toBe(3);

  await noteRunningMax(fixture.space, "acme", 5);
  await until("two more run", () => work.running.size === 5);
  await noteRunningMax(fixture.space, "acme", 2);
  for (const { id } of places.slice(0, 3)) {
    work.end(id);
    await fixture.ended(id);
  }
  expect([...work.running.keys()]).toEqual(places.slice(3, 5).map(({ id }) => id));
  expect(await heldOn(queueName)).toBe(4);

  await noteRunningMax(fixture.space, "acme", null);
  await until("all run", () => work.running.size === 6);
  work.endAll();
  for (const { id } of places) await fixture.ended(id);
  expect(await traces()).toEqual([]);
});

test("who was held for long has not saved anything up: let go, it takes turns with the others", async () => {
  const work = createWork();
  const costMs = 1_000;
  const own = await putMany(9, { runningMax: 1, costMs });
  const before = await putMany(12, { tenant: "light", costMs });
  await fixture.consume(work.handle, { concurrency: 2 });
  await until("one runs", () => work.running.has(own[0]?.id ?? ""));
  for (const { id } of before) {
    await until("it runs", () => work.running.has(id));
    work.end(id);
    await fixture.ended(id);
  }
  const after = await putMany(9, { tenant: "light", costMs });
  await until("the next one runs", () => work.running.has(after[0]?.id ?? ""));
  const met = work.started.length;
  await noteRunningMax(fixture.space, "acme", null);
  for (let each = 0; each < 8; each++) {
    const last = work.started[met - 1 + each] ?? "";
    await until("another runs", () => work.running.has(last));
    work.end(last);
    await until("and one more after it", () => work.started.length > met + each);
  }
  const light = new Set(after.map(({ id }) => id));
  const turns = work.started.slice(met, met + 8).filter((id) => light.has(id)).length;
  expect(turns).toBeGreaterThanOrEqual(3);
  expect(turns).toBeLessThanOrEqual(5);
  expect(work.started.filter((id) => own.some((place) => place.id === id))).toEqual(
    own.slice(0, work.started.length - before.length - 1 - turns).map(({ id }) => id),
  );
});

test("users of a limited tenant take turns", async () => {
  const work = createWork();
  const many = await putMany(6, { runningMax: 1, fields: { user: "many" } });
  await fixture.consume(work.handle, { concurrency: 4 });
  const [{ queueName }] = many as [Place];
  await until("the others are held", async () => (await heldOn(queueName)) === 5);
  const few = await put({ runningMax: 1, fields: { user: "few" } });
  for (let each = 0; each < 7; each++) {
    await until("the next one runs", () => work.started.length === each + 1);
    work.endAll();
  }
  expect(work.started.indexOf(few.id)).toBeLessThanOrEqual(2);
  expect(work.started.toSorted()).toEqual([...many, few].map(({ id }) => id).toSorted());
});

test("a job whose worker died gives its slot to the next one", async () => {
  const work = createWork();
  const [dies, next] = await putMany(2, { runningMax: 1 });
  if (!dies || !next) throw new Error("two were put");
  const { queueName } = dies;
  const consumer = await fixture.consume(work.handle, { concurrency: 2 });
  await until("the other is held", async () => (await heldOn(queueName)) === 1);
  // As if the worker were gone: nobody renews its lock any more.
  const lock = `${fixture.space.jobKey(queueName, dies.id)}:lock`;
  await fixture.space.client.del(lock);
  await until("the next one runs", async () => {
    await keepShares(fixture.space, [queueName]);
    return work.running.has(next.id);
  });
  await consumer.close(AbortSignal.abort());
  expect((await fixture.read(next.id)).standing).not.toBe("met");
});

test("whatever happens to jobs of limited tenants, each is in one place, none is lost, and no limit is passed", async () => {
  const limits = { one: 1, two: 2, any: null } as const;
  const tenants = Object.keys(limits) as (keyof typeof limits)[];
  const models = ["a:1b", "b:1b"];
  const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;
  const running = new Map<string, number>();
  const passed: string[] = [];
  const tenantOfId = new Map<string, keyof typeof limits>();
  const places: Place[] = [];
  const putOne = async (): Promise<void> => {
    const tenant = pick(tenants);
    const fields = { model: pick(models), user: pick([undefined, "u", "v"]) };
    const place = await put({ tenant, fields, runningMax: limits[tenant], delayMs: pick([0, 0, 0, 20]) });
    tenantOfId.set(place.id, tenant);
    places.push(place);
  };
  const handle = async ({ id, signal }: Delivery): Promise<Outcome> => {
    const tenant = tenantOfId.get(id) ?? "any";
    const now = (running.get(tenant) ?? 0) + 1;
    running.set(tenant, now);
    if (now > (limits[tenant] ?? Number.POSITIVE_INFINITY)) passed.push(tenant);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
    running.set(tenant, (running.get(tenant) ?? 0) - 1);
    const failure = { code: "backend_reset", message: "it broke" } as const;
    if (signal.aborted)
      return signal.reason === "shutdown" ? { kind: "interrupted", failure } : discards("cancelled");
    return pick<() => Outcome>([
      completes,
      completes,
      completes,
      () => retries(1),
      () => ({ kind: "throttled", failure, delayMs: 5 }),
      () => ({ kind: "interrupted", failure }),
      discards,
    ])();
  };
  for (let each = 0; each < 40; each++) await putOne();
  const queues = [...new Set(places.map(({ queueName }) => queueName))];
  for (const queueName of [...queues, ...queues]) {
    await fixture.consume(handle, { queueName, concurrency: 3 });
  }
  for (let each = 0; each < 120; each++) {
    const place = pick(places);
    await pick<() => Promise<unknown>>([
      putOne,
      putOne,
      () => cancelJob(fixture.space, place),
      () => retryJob(fixture.space, place).catch(() => undefined),
      async () => {
        const { state } = await fixture.read(place.id);
        if (state !== "waiting" || !(await removeJob(fixture.space, place))) return;
        places.splice(places.indexOf(place), 1);
      },
      () => keepShares(fixture.space, queues),
      () => new Promise((resolve) => setTimeout(resolve, 5)),
    ])();
  }
  await until("all ended", async () => (await inState(places)).every(isFinalState));
  expect(passed).toEqual([]);
  for (const queueName of queues) {
    const on = places.filter((place) => place.queueName === queueName);
    const { completed, failed, ...open } = await readQueueGauges(fixture.space, queueName);
    expect(completed + failed).toBe(on.length);
    expect(open).toEqual({ waiting: 0, active: 0, delayed: 0, held: 0, oldestWaitingS: 0 });
  }
  expect((await traces()).filter((key) => !key.includes(":held:out:"))).toEqual([]);
  expect(fixture.seen.errors).toEqual([]);
});
