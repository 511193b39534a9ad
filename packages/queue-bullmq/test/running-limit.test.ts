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
  readJobState,
  readQueueGauges,
  removeJob,
} from "../src/index.ts";
import {
  completes,
  createFixture,
  type Fixture,
  gate,
  interleave,
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

/** Jobs that run until they are let go, by tenant. */
function createWork() {
  const running = new Map<string, () => void>();
  const started: string[] = [];
  let most = 0;
  return {
    running,
    started,
    get most() {
      return most;
    },
    async handle({ id, signal }: Delivery) {
      const { opened, open } = gate();
      signal.addEventListener("abort", open, { once: true });
      running.set(id, open);
      started.push(id);
      most = Math.max(most, running.size);
      await opened;
      running.delete(id);
      return completes();
    },
    end(id: string) {
      running.get(id)?.();
    },
  };
}

const inState = (places: readonly Place[]) =>
  Promise.all(places.map(async ({ id }) => (await fixture.read(id)).state));
const until = (what: string, holds: () => boolean | Promise<boolean>) =>
  waitFor(async () => ((await holds()) ? true : undefined), { what, timeoutMs: 20_000 });

test("of a tenant no more run than may, over two workers and two models; others pass; all end, in order", async () => {
  const two = { fields: { model: "other:1b" } };
  const limited = await putMany(30, { runningMax: 2 });
  const [{ queueName }] = limited as [Place];
  limited.push(...(await putMany(30, { ...two, runningMax: 2 })));
  const others = [...(await putMany(10, { tenant: "light" })), ...(await putMany(10, { ...two, tenant: "light" }))];
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
    expect(started.filter((id) => of(name).includes(id))).toEqual(of(name));
  }
  expect(fixture.seen.errors).toEqual([]);
  expect(await keysOf(fixture.space)).not.toContain(`${fixture.prefix}:held`);
});
