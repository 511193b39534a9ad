import { createJobId } from "@forebay/queue-contracts";
import { tagFloor } from "@forebay/scheduling";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import {
  cancelJob,
  keepShares,
  lookAtQueue,
  noteDispatch,
  removeJob,
  retryJob,
  tagUntagged,
} from "../src/index.ts";
import {
  completes,
  createFixture,
  discards,
  type Fixture,
  generateJob,
  type Place,
} from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

type Who = { tenant?: string; user?: string; lane?: string; model?: string };
const put = ({ tenant = "acme", ...fields }: Who = {}, costMs = 1_000, weight?: number): Promise<Place> =>
  fixture.submit({ tenant, fields, costMs, weight });

async function putMany(count: number, who: Who, costMs?: number, weight?: number): Promise<Place[]> {
  const places: Place[] = [];
  for (let each = 0; each < count; each++) places.push(await put(who, costMs, weight));
  return places;
}

/** Takes jobs as a worker does, without running them: their ids, in order. */
async function take(count: number, queueName: string): Promise<string[]> {
  const { space } = fixture;
  const ids: string[] = [];
  for (let each = 0; each < count; each++) {
    const popped = await space.client.zpopmin(space.jobKey(queueName, "prioritized"));
    if (popped[0] === undefined) break;
    await noteDispatch(space, { id: popped[0], queueName });
    ids.push(popped[0]);
  }
  return ids;
}

const headOf = async (queueName: string) => (await lookAtQueue(fixture.space, queueName, Date.now())).head;
const flowEnd = async (flow: string): Promise<number> =>
  Number(await fixture.space.client.hget(fixture.space.key("fair", "flows"), `f:${flow}`));
const tagOf = async ({ id, queueName }: Place): Promise<number> =>
  Number(await fixture.space.client.hget(fixture.space.jobKey(queueName, id), "priority"));
/** Which of the groups each id is of. */
const namesOf = (ids: readonly string[], groups: Record<string, Place[]>): string[] =>
  ids.map((id) => Object.keys(groups).find((name) => groups[name]?.some((place) => place.id === id)) ?? "?");

describe("tenants", () => {
  test("one that comes into another's flood is served next, and then in turns", async () => {
    const flood = await putMany(20, { tenant: "flood" });
    await take(3, flood[0]?.queueName ?? "");
    const light = await putMany(3, { tenant: "light" });
    const order = namesOf(await take(6, flood[0]?.queueName ?? ""), { flood, light });
    expect(order).toEqual(["light", "flood", "light", "flood", "light", "flood"]);
  });

  test("get GPU time by weight, whatever their jobs cost", async () => {
    const small = await putMany(60, { tenant: "small" }, 500, 1);
    const large = await putMany(30, { tenant: "large" }, 1_000, 2);
    const names = namesOf(await take(45, small[0]?.queueName ?? ""), { small, large });
    const count = (name: string): number => names.filter((each) => each === name).length;
    // As many of both: the larger jobs are the one's with the larger weight.
    expect(Math.abs(count("small") - count("large"))).toBeLessThanOrEqual(2);
  });

  test("a tenant that names other queues has one share, not one for each", async () => {
    const first = await putMany(10, { tenant: "wide" });
    const second = await putMany(10, { tenant: "wide", model: "qwen3:8b" });
    const tags = await Promise.all([...first, ...second].map(tagOf));
    expect(new Set(tags).size).toBe(20);
    const light = await put({ tenant: "light", model: "qwen3:8b" });
    expect(await tagOf(light)).toBeLessThan(Math.min(...(await Promise.all(second.map(tagOf)))));
  });
});

test("the lanes of a tenant share by 16 to 4 to 1, and batch always moves", async () => {
  const interactive = await putMany(50, { lane: "interactive" });
  const standard = await putMany(50, { lane: "standard" });
  const batch = await putMany(50, { lane: "batch" });
  const names = namesOf(await take(42, batch[0]?.queueName ?? ""), { interactive, standard, batch });
  const count = (name: string): number => names.filter((each) => each === name).length;
  expect([count("interactive"), count("standard"), count("batch")]).toEqual([32, 8, 2]);
});

describe("users of one tenant", () => {
  test("take turns: one's flood does not stand before another's job", async () => {
    const flood = await putMany(20, { user: "ann" });
    await take(3, flood[0]?.queueName ?? "");
    const light = await putMany(3, { user: "bob" });
    const ids = await take(6, flood[0]?.queueName ?? "");
    expect(namesOf(ids, { flood, light })).toEqual(["light", "flood", "light", "flood", "light", "flood"]);
    // Within one user the order is that of arrival, whatever places were exchanged.
    const ofFlood = ids.filter((id) => flood.some((place) => place.id === id));
    expect(ofFlood).toEqual(flood.slice(3, 6).map(({ id }) => id));
    const rest = await take(14, flood[0]?.queueName ?? "");
    expect(rest).toEqual(flood.slice(6).map(({ id }) => id));
  });

  test("take turns also over queues", async () => {
    const flood = await putMany(10, { user: "ann" });
    const queueName = flood[0]?.queueName ?? "";
    const other = await put({ user: "bob", model: "qwen3:8b" });
    const late = await tagOf(other);
    await take(1, queueName);
    // Ann's turn is over: bob has the next place of the tenant, on his queue, and her job his.
    expect(await tagOf(other)).toBeLessThan(late);
    const [own, others] = [await headOf(queueName), await headOf(other.queueName)];
    expect(others?.tag).toBeLessThan(own?.tag ?? 0);
  });

  test("buy their tenant nothing, however many they are", async () => {
    const crowd: Place[] = [];
    for (let user = 0; user < 20; user++) crowd.push(await put({ tenant: "crowd", user: `u${user}` }));
    const single = await putMany(20, { tenant: "single" });
    const names = namesOf(await take(20, crowd[0]?.queueName ?? ""), { crowd, single });
    expect(names.filter((name) => name === "crowd")).toHaveLength(10);
  });

  test("leave nothing behind", async () => {
    const places = await putMany(3, { user: "ann" });
    await take(3, places[0]?.queueName ?? "");
    const keys = await fixture.space.client.keys(`${fixture.prefix}:fair:*`);
    expect(keys).toEqual([fixture.space.key("fair", "flows")]);
  });
});

describe("what a job used is settled when it ends", () => {
  test("one that used less than expected gives the rest back", async () => {
    await fixture.consume(() => completes());
    const { id } = await put({}, 60_000);
    const end = await flowEnd("standard:acme");
    await fixture.ended(id);
    // 7 ms were used, at weight 4.
    expect(await flowEnd("standard:acme")).toBeCloseTo(end - (60_000 - 7) * 250, 0);
  });

  test.each(["completes", "fails"])("one that used more is charged more, also when it %s", async (how) => {
    await fixture.consume(() => (how === "fails" ? discards() : completes()));
    const { id } = await put({}, 1);
    const end = await flowEnd("standard:acme");
    await fixture.ended(id);
    expect(await flowEnd("standard:acme")).toBeCloseTo(end + (7 - 1) * 250, 0);
  });

  test("what a flow has overdrawn delays its waiting jobs", async () => {
    const { space } = fixture;
    const over = await putMany(3, { tenant: "over" });
    const fair = await putMany(2, { tenant: "fair" });
    const queueName = over[0]?.queueName ?? "";
    await take(1, queueName);
    // As its worker charges it: twelve seconds instead of one.
    await space.client.hincrbyfloat(space.key("fair", "flows"), "o:standard:over", 11_000 * 250);
    fair.push(await put({ tenant: "fair" }));
    expect(namesOf(await take(4, queueName), { over, fair })).toEqual(["fair", "fair", "fair", "over"]);
  });

  test("a waiting job that is cancelled or erased costs nothing", async () => {
    const before = await put();
    const end = await flowEnd("standard:acme");
    const [cancelled, erased] = [await put(), await put()];
    await cancelJob(fixture.space, cancelled);
    await removeJob(fixture.space, erased);
    expect(await flowEnd("standard:acme")).toBe(end);
    expect(await fixture.space.client.hget(fixture.space.key("fair"), `w:${before.queueName}`)).toBe(
      "1000000",
    );
  });
});

describe("jobs without a tag", () => {
  const strangers = async (options: object): Promise<Place> => {
    const { queueName } = await put({ tenant: "other" });
    const id = createJobId("abcdefgh");
    await fixture.space
      .queue(queueName)
      .add("infer", generateJob({ tenant: "acme" }), { jobId: id, ...options });
    return { id, queueName, tenant: "acme" };
  };

  test.each([
    ["with a priority", { priority: 5 }],
    ["with none", {}],
  ])("one another team put %s gets its place, as any other of its tenant", async (_, options) => {
    const flood = await putMany(5, {});
    const stranger = await strangers(options);
    await tagUntagged(fixture.space, stranger.queueName);
    const head = await headOf(stranger.queueName);
    expect(head?.id).toBe(flood[0]?.id);
    expect(await tagOf(stranger)).toBeGreaterThan(await tagOf(flood[4] ?? stranger));
    expect(head?.waiting).toBe(7);
  });

  test("many are tagged by many at once, each one time", async () => {
    const { queueName } = await put({ tenant: "other" });
    const queue = fixture.space.queue(queueName);
    const ids = Array.from({ length: 30 }, () => createJobId("abcdefgh"));
    for (const jobId of ids) await queue.add("infer", generateJob(), { jobId, priority: 9 });
    const tagged = await Promise.all([1, 2, 3].map(() => tagUntagged(fixture.space, queueName)));
    expect(tagged.reduce((sum, count) => sum + count, 0)).toBe(30);
    const tags = await Promise.all(ids.map((id) => tagOf({ id, queueName, tenant: "acme" })));
    expect(new Set(tags).size).toBe(30);
    expect(tags).toEqual(tags.toSorted((a, b) => a - b));
  });

  test("one that ran before anybody saw it is charged to its tenant", async () => {
    const { queueName } = await fixture.submit();
    const job = generateJob({ tenant: "sneaky" });
    const id = createJobId(queueName.slice(-9, -1));
    await fixture.space.queue(queueName).add("infer", job, { jobId: id, priority: 1 });
    await fixture.consume(() => completes());
    await fixture.ended(id);
    expect(await flowEnd("standard:sneaky")).toBeGreaterThan(tagFloor);
  });

  test("a delayed one gets its tag when it is due, not when it was put", async () => {
    const later = await fixture.submit({ delayMs: 60_000 });
    expect(await tagOf(later)).toBeLessThan(tagFloor);
    await putMany(3, {});
    const job = await fixture.space.queue(later.queueName).getJob(later.id);
    await job?.promote();
    await tagUntagged(fixture.space, later.queueName);
    expect((await take(4, later.queueName))[3]).toBe(later.id);
  });

  test("a payload that does not parse stays in front, where a worker says so", async () => {
    const { queueName } = await put();
    await fixture.space.queue(queueName).add("infer", { no: "job" }, { jobId: "broken", priority: 5 });
    await tagUntagged(fixture.space, queueName);
    const head = await headOf(queueName);
    expect(head?.id).toBe("broken");
    expect(head?.tag).toBeLessThan(tagFloor);
  });
});

test("a job put back by hand asks for its share again", async () => {
  const consumer = await fixture.consume(() => discards());
  const failed = await put();
  await fixture.ended(failed.id);
  await consumer.close(AbortSignal.timeout(5_000));
  const flood = await putMany(3, {});
  await retryJob(fixture.space, failed);
  expect(await tagOf(failed)).toBeGreaterThan(await tagOf(flood[2] ?? failed));
});

test("who joins a queue that lags behind stands at its head, not behind all that waits there", async () => {
  const lagging = await putMany(20, { tenant: "flood", model: "qwen3:8b" });
  await take(1, lagging[0]?.queueName ?? "");
  // Elsewhere virtual time has gone far ahead.
  const { queueName } = await put({ tenant: "far" }, 1e9);
  await put({ tenant: "far" }, 1e9);
  await take(2, queueName);
  const light = await put({ tenant: "light", model: "qwen3:8b" });
  expect(await take(1, light.queueName)).toEqual([light.id]);
});

test("when nothing waits or runs, what was used is forgotten, and time goes on", async () => {
  const places = await putMany(2, { tenant: "heavy" }, 1e6);
  const queueName = places[0]?.queueName ?? "";
  await keepShares(fixture.space, [queueName]);
  expect(await flowEnd("standard:heavy")).toBeGreaterThan(tagFloor);
  const late = Math.max(...(await Promise.all(places.map(tagOf))));
  await take(2, queueName);
  await keepShares(fixture.space, [queueName]);
  const [heavy, light] = [await put({ tenant: "heavy" }), await put({ tenant: "light" })];
  expect(await tagOf(heavy)).toBe(await tagOf(light));
  expect(await tagOf(light)).toBeGreaterThan(late);
});

test("of many replicas at once each gets a place of its own", async () => {
  const spaces = await Promise.all([fixture.openSpace(), fixture.openSpace(), fixture.openSpace()]);
  const places = await Promise.all(
    Array.from({ length: 60 }, (_, i) => fixture.submit({ costMs: 1_000, space: spaces[i % 3] })),
  );
  const tags = (await Promise.all(places.map(tagOf))).toSorted((a, b) => a - b);
  expect(tags.slice(1).map((tag, i) => tag - (tags[i] ?? 0))).toEqual(
    Array.from({ length: 59 }, () => 250_000),
  );
});
