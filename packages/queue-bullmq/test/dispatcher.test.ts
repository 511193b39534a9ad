import { affinityOf } from "@forebay/queue-contracts";
import { waitFor } from "@forebay/test-harness";
import { Queue } from "bullmq";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import {
  type Delivery,
  type Dispatcher,
  leaseSlots,
  lookAtQueue,
  openDispatcher,
  type WaitingHead,
  type QueueSpace,
} from "../src/index.ts";
import { defaultDeliveryPolicy } from "@forebay/queue-contracts";
import { completes, createFixture, type Fixture, gate } from "./queue-fixture.ts";

let fixture: Fixture;
let stack: AsyncDisposableStack;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  fixture = stack.use(await createFixture(inject("redisUrl")));
});
afterEach(() => stack.disposeAsync());

type Options = {
  seats?: number;
  choose?: (heads: readonly WaitingHead[]) => WaitingHead | undefined;
  handle?: (delivery: Delivery) => Promise<unknown>;
};
/** A dispatcher with so many seats; by default the lowest tag goes first. Tells which queue each job was of. */
function dispatch(space: QueueSpace, { seats = 1, choose, handle }: Options = {}) {
  let free = seats;
  const order: string[] = [];
  const dispatcher: Dispatcher = openDispatcher<{ queueName: string }>(space, {
    worker: "w",
    policy: defaultDeliveryPolicy,
    lockMs: 10_000,
    stalledCheckMs: 5_000,
    choose(heads) {
      const head = choose ? choose(heads) : heads.toSorted((a, b) => a.tag - b.tag)[0];
      if (!head || free === 0) return undefined;
      free--;
      return { queueName: head.queueName, seat: { queueName: head.queueName } };
    },
    leave: () => void free++,
    async handle(delivery, { queueName }) {
      order.push(queueName);
      await handle?.(delivery);
      return { outcome: completes(), gpuMs: 1 };
    },
    on: {
      stalled: () => undefined,
      lockLost: () => undefined,
      error: (error) => fixture.seen.errors.push(error),
    },
  });
  stack.defer(() => dispatcher.close(AbortSignal.abort()));
  return { dispatcher, order };
}

const queues = (count: number): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, (_, index) =>
      fixture.directory.ensure(affinityOf({ model: `m-${index}` })),
    ),
  );
const submit = (index: number, fields: Record<string, unknown> = {}) =>
  fixture.submit({ fields: { model: `m-${index}`, ...fields } });

test("one loop serves hundreds of queues with two connections, and hears of a job on any of them", async () => {
  const names = await queues(300);
  const space = await fixture.openSpace();
  const clients = async () =>
    String(await fixture.space.client.client("LIST"))
      .split("\n")
      .filter((line) => line.includes(`name=${fixture.prefix}`)).length;
  const before = await clients();
  const { dispatcher } = dispatch(space, { seats: 4 });
  dispatcher.match(names);
  for (const index of [0, 150, 299]) await fixture.ended((await submit(index)).id);
  expect((await clients()) - before).toBe(1);
  const many = await Promise.all(names.map((_, index) => submit(index)));
  await Promise.all(many.map(({ id }) => fixture.ended(id)));
  expect(fixture.seen.errors).toEqual([]);
});

test("of several queues the head that is chosen runs, one by one as heads change", async () => {
  const names = await queues(2);
  for (const lane of ["batch", "interactive"]) await submit(0, { lane });
  await submit(1, { lane: "standard" });
  const { dispatcher, order } = dispatch(await fixture.openSpace());
  dispatcher.match(names);
  await waitFor(() => order.length === 3, { what: "all ran" });
  expect(order).toEqual([names[0], names[1], names[0]]);
});

test("a job that another team put with BullMQ alone is heard of and run", async () => {
  const [name = ""] = await queues(1);
  const { dispatcher, order } = dispatch(await fixture.openSpace());
  dispatcher.match([name]);
  await fixture.ended((await submit(0)).id);
  await using foreign = Object.assign(
    new Queue(name, { connection: { url: fixture.redisUrl }, prefix: fixture.prefix }),
    { [Symbol.asyncDispose]: () => foreign.close() },
  );
  await foreign.add("infer", {});
  await waitFor(() => order.length === 2, { what: "it ran" });
});

test("a delayed job runs when its time comes, with nothing else happening", async () => {
  const names = await queues(3);
  const { dispatcher } = dispatch(await fixture.openSpace());
  dispatcher.match(names);
  await fixture.ended((await submit(1)).id);
  const { id } = await fixture.submit({ fields: { model: "m-1" }, delayMs: 400 });
  expect(await fixture.ended(id)).toMatchObject({ state: "completed" });
});

test("a paused queue is left alone, and served when it is resumed", async () => {
  const [name = "", other = ""] = await queues(2);
  await fixture.space.queue(name).pause();
  const waiting = await submit(0);
  const { dispatcher } = dispatch(await fixture.openSpace());
  dispatcher.match([name, other]);
  await fixture.ended((await submit(1)).id);
  expect(await fixture.read(waiting.id)).toMatchObject({ state: "waiting", starts: [] });
  await fixture.space.queue(name).resume();
  await fixture.ended(waiting.id);
});

test("a marker that one worker takes and cannot use reaches another one", async () => {
  const names = await queues(1);
  const idle = dispatch(await fixture.openSpace(), { choose: () => undefined });
  idle.dispatcher.match(names);
  const able = dispatch(await fixture.openSpace());
  able.dispatcher.match(names);
  for (let job = 0; job < 10; job++) await fixture.ended((await submit(0)).id);
  expect([idle.order.length, able.order.length]).toEqual([0, 10]);
});

test("a queue that is no longer served finishes what runs, and takes nothing more", async () => {
  const names = await queues(2);
  const { opened, open } = gate();
  const { dispatcher } = dispatch(await fixture.openSpace(), { seats: 2, handle: () => opened });
  dispatcher.match(names);
  const running = await submit(0);
  await fixture.begun(running.id);
  dispatcher.match(names.slice(1));
  const left = await submit(0);
  open();
  await fixture.ended(running.id);
  await fixture.ended((await submit(1)).id);
  expect(await fixture.read(left.id)).toMatchObject({ state: "waiting", starts: [] });
  dispatcher.match(names);
  await fixture.ended(left.id);
});

test("the lane of a job at the front is known; one that others put without a tag is of the standard lane", async () => {
  const [name = ""] = await queues(1);
  const look = async () => (await lookAtQueue(fixture.space, name, Date.now())).head?.lane;
  expect(await look()).toBeUndefined();
  await submit(0, { lane: "batch" });
  expect(await look()).toBe("batch");
  await submit(0, { lane: "interactive" });
  expect(await look()).toBe("interactive");
  await fixture.space.queue(name).add("generate", { not: "ours" });
  expect(await look()).toBe("standard");
});

describe("slots that workers lease", () => {
  const lease = (worker: string, want: number, leaseMs = 10_000) =>
    leaseSlots(fixture.space, { backend: "gpu-1", model: "m", worker, want, limit: 3, leaseMs });

  test("are never more than there are, however many ask at once", async () => {
    const granted = await Promise.all(Array.from({ length: 8 }, (_, index) => lease(`w-${index}`, 2)));
    expect(granted.reduce((sum, slots) => sum + slots, 0)).toBe(3);
  });

  test("are there for others when they are given back", async () => {
    expect([await lease("a", 3), await lease("b", 1), await lease("a", 1), await lease("b", 3)]).toEqual([
      3, 0, 1, 2,
    ]);
  });

  test("of a worker that was killed are free when its lease ends", async () => {
    await lease("killed", 3, 50);
    await waitFor(async () => (await lease("b", 3)) === 3, { what: "they are free" });
  });

  test("of one model say nothing of another, and leave no key when all are back", async () => {
    await lease("a", 3);
    const other = { backend: "gpu-1", model: "n", worker: "b", limit: 1, leaseMs: 10_000 };
    expect(await leaseSlots(fixture.space, { ...other, want: 1 })).toBe(1);
    await Promise.all([lease("a", 0), leaseSlots(fixture.space, { ...other, want: 0 })]);
    expect(await fixture.space.client.keys(`${fixture.prefix}:slots*`)).toEqual([]);
  });
});
