import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { waitFor } from "@forebay/test-harness";
import { type ApiFixture, createApiFixture } from "./api-fixture.ts";
import { followThrough } from "./follow-through.ts";

// Five thousand are for the benchmark; what matters shows with a tenth of that.
const jobs = 100;
const readersPerJob = 5;

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"));
});
afterAll(() => api[Symbol.asyncDispose]());

/** Connections to Redis that go by the API's name. */
async function connections(): Promise<number> {
  const list = String(await api.space.client.client("LIST"));
  return list.split("\n").filter((line) => line.includes(` name=${api.prefix}-api `)).length;
}

const followed = async (): Promise<number> =>
  (await api.space.client.pubsub("CHANNELS", `${api.prefix}:live:*`)).length;

test("hundreds of readers and waiters share a few connections to Redis, and each is told the end", async () => {
  const ids = await Promise.all(Array.from({ length: jobs }, async () => (await api.submit()).body.job_id));
  const before = await connections();
  const each = <T>(work: (id: string) => Promise<T>): Promise<T>[] =>
    ids.flatMap((id) => Array.from({ length: readersPerJob }, () => work(id)));
  const readers = each((id) => followThrough([api.url], id));
  const waiters = each((id) => api.call("GET", `/jobs/${id}?wait=60`));
  await waitFor(async () => (await followed()) === jobs, {
    what: "all jobs are followed",
    timeoutMs: 20_000,
  });
  expect(await connections()).toBe(before);
  expect(before).toBeLessThanOrEqual(5);

  const { body } = await api.call("POST", "/jobs/cancel", { body: { filter: {}, all: true } });
  expect(body).toMatchObject({ cancelled: jobs });
  for (const { events } of await Promise.all(readers)) {
    expect(events.map(({ event }) => event)).toEqual(["state", "cancelled"]);
  }
  for (const answer of await Promise.all(waiters)) {
    expect([answer.status, answer.body.state]).toEqual([200, "cancelled"]);
  }
  await waitFor(async () => (await followed()) === 0, { what: "nobody is followed any more" });
  expect(await connections()).toBe(before);
});
