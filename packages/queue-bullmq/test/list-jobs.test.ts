import { createJobId } from "@forebay/queue-contracts";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { countOpenJobs, endWaitingJob, listJobs, tenantKeys } from "../src/index.ts";
import { createFixture, type Fixture, type Place } from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

type Query = Partial<Parameters<typeof listJobs>[2]>;
const list = (query: Query = {}) =>
  listJobs(fixture.space, fixture.directory, { tenant: "acme", limit: 10, matches: () => true, ...query });

/** All pages, one after the other. */
async function listAll(query: Query = {}): Promise<string[][]> {
  const pages: string[][] = [];
  let from: string | undefined;
  do {
    const page = await list({ ...query, from });
    pages.push(page.jobs.map(({ id }) => id));
    from = page.next;
  } while (from !== undefined);
  return pages;
}

async function submitMany(count: number, atMs: (index: number) => number): Promise<Place[]> {
  const submitted: Place[] = [];
  for (let index = 0; index < count; index++) submitted.push(await fixture.submit({ atMs: atMs(index) }));
  return submitted;
}
const idsOf = (places: readonly Place[]): string[] => places.map(({ id }) => id);
const newestFirst = (ids: readonly string[]): string[] => ids.toSorted().toReversed();
const now = Date.now();

test("jobs come newest first, page by page, each once", async () => {
  const ids = idsOf(await submitMany(25, (index) => now + index));
  const pages = await listAll();
  expect(pages.flat()).toEqual(newestFirst(ids));
  expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
});

test("jobs of one millisecond are listed each once, however many they are", async () => {
  const ids = idsOf(await submitMany(250, () => now));
  const pages = await listAll({ limit: 40 });
  expect(pages.flat()).toEqual(newestFirst(ids));
});

test("open and ended jobs are one list, and each can be asked for alone", async () => {
  const places = await submitMany(12, (index) => now + index);
  const cancelled = places.filter((_, index) => index % 3 === 0);
  const failure = { code: "cancelled", message: "enough" } as const;
  for (const place of cancelled) await endWaitingJob(fixture.space, place, failure);
  const ended = idsOf(cancelled);
  const open = idsOf(places).filter((id) => !ended.includes(id));
  expect((await listAll({ limit: 5 })).flat()).toEqual(newestFirst(idsOf(places)));
  expect((await listAll({ limit: 5, openOnly: true })).flat()).toEqual(newestFirst(open));
  expect((await listAll({ limit: 5, endedOnly: true })).flat()).toEqual(newestFirst(ended));
  expect(await countOpenJobs(fixture.space, "acme")).toBe(open.length);
});

test("a job that moves between open and ended while it is listed comes once", async () => {
  const [place] = await submitMany(1, () => now);
  const { open, ended } = tenantKeys(fixture.space, "acme");
  await fixture.space.client.zadd(ended, now, place?.id ?? "");
  expect(await fixture.space.client.zcard(open)).toBe(1);
  expect((await list()).jobs).toHaveLength(1);
});

test("a tenant sees its own jobs and nobody else's", async () => {
  const mine = await fixture.submit();
  const other = await fixture.submit({ tenant: "globex" });
  expect((await list()).jobs.map(({ id }) => id)).toEqual([mine.id]);
  expect((await list({ tenant: "globex" })).jobs.map(({ id }) => id)).toEqual([other.id]);
  expect((await list({ tenant: "nobody" })).jobs).toEqual([]);
});

test("a filter leaves out what does not match, without ending the list", async () => {
  const ids = idsOf(await submitMany(30, (index) => now + index));
  const wanted = new Set(ids.filter((_, index) => index % 7 === 0));
  const pages = await listAll({ limit: 2, matches: (job) => wanted.has(job.id) });
  expect(pages.flat()).toEqual(newestFirst([...wanted]));
});

test("jobs made after a time, that time not included", async () => {
  const ids = idsOf(await submitMany(10, (index) => now + index));
  const page = await list({ createdAfterMs: now + 6 });
  expect(page.jobs.map(({ id }) => id)).toEqual(newestFirst(ids.slice(7)));
});

describe("an entry whose job is gone", () => {
  const old = now - 3_600_000;
  const entries = () => fixture.space.client.zcard(tenantKeys(fixture.space, "acme").open);
  const index = (id: string, atMs: number) =>
    fixture.space.client.zadd(tenantKeys(fixture.space, "acme").open, atMs, id);

  test("is not listed, and forgotten", async () => {
    const kept = await fixture.submit();
    for (let gone = 0; gone < 5; gone++) await index(createJobId(kept.id.slice(26), old + gone), old + gone);
    expect((await list()).jobs.map(({ id }) => id)).toEqual([kept.id]);
    expect(await entries()).toBe(1);
  });

  test("is kept while it is young: its job may be on its way", async () => {
    await index(createJobId("abcdefgh", Date.now()), Date.now());
    expect((await list()).jobs).toEqual([]);
    expect(await entries()).toBe(1);
  });

  test("does not cost the page a job that is there", async () => {
    const places = await submitMany(3, (at) => now + at * 2);
    for (let gone = 0; gone < 150; gone++) await index(createJobId("abcdefgh", now + 1), now + 1);
    expect((await listAll({ limit: 3 })).flat()).toEqual(newestFirst(idsOf(places)));
  });
});

test("a filter that matches nothing ends after so many jobs and says where to go on", async () => {
  const { id } = await fixture.submit();
  const many = Array.from({ length: 2_150 }, (_, index) => createJobId(id.slice(26), now - index));
  const { open } = tenantKeys(fixture.space, "acme");
  await fixture.space.client.zadd(open, ...many.flatMap((each, index) => [now - index, each]));
  let examined = 0;
  const counted = {
    ...fixture.directory,
    nameOfTag: (tag: string) => (examined++, fixture.directory.nameOfTag(tag)),
  };
  const query = { tenant: "acme", limit: 10, matches: () => false };
  const first = await listJobs(fixture.space, counted, query);
  expect(first.jobs).toEqual([]);
  expect(examined).toBe(2_000);
  expect(first.next).toBeDefined();
  const second = await listJobs(fixture.space, counted, { ...query, from: first.next });
  expect(examined).toBe(2_151);
  expect(second.next).toBeUndefined();
});

test("a cursor whose own job is gone still leads on", async () => {
  const places = await submitMany(4, (index) => now + index);
  const page = await list({ limit: 2 });
  await fixture.space.client.zrem(tenantKeys(fixture.space, "acme").open, page.next ?? "");
  const rest = await list({ from: page.next });
  expect(rest.jobs.map(({ id }) => id)).toEqual(newestFirst(idsOf(places)).slice(2));
});
