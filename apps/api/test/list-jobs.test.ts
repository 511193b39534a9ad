import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type ApiFixture, createApiFixture, model } from "./api-fixture.ts";

let api: ApiFixture;
const ids: string[] = [];
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"));
  await api.announce([model, "qwen3:8b"]);
  for (let i = 0; i < 12; i++) {
    const { body } = await api.submit({
      lane: i % 3 === 0 ? "batch" : "standard",
      model: i % 2 === 0 ? model : "qwen3:8b",
      metadata: { run: String(i % 4), "a key": "ä value&more" },
    });
    ids.unshift(body.job_id);
  }
  await api.call("POST", `/jobs/${ids[0]}/cancel`);
});
afterAll(() => api[Symbol.asyncDispose]());

const list = (query = "") => api.call("GET", `/jobs${query}`);
const idsOf = async (query: string) => (await list(query)).body.jobs.map((job) => job.job_id);

test("jobs come newest first, without their results", async () => {
  const { body } = await list();
  expect(body.jobs.map((job) => job.job_id)).toEqual(ids);
  expect(body.jobs[0]).not.toHaveProperty("result");
  expect(body.next_cursor).toBeNull();
});

test("pages follow one another without a gap or a double", async () => {
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const { body } = await list(`?limit=5${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.jobs.map((job) => job.job_id));
    cursor = body.next_cursor;
  }
  expect(seen).toEqual(ids);
});

test("pages do not shift when new jobs arrive", async () => {
  const first = await list("?limit=5");
  const { body } = await api.submit();
  const second = await list(`?limit=5&cursor=${first.body.next_cursor}`);
  expect(second.body.jobs.map((job) => job.job_id)).toEqual(ids.slice(5, 10));
  await api.call("DELETE", `/jobs/${body.job_id}`);
});

test.each([
  ["?state=cancelled", (_: number, index: number) => index === 0],
  ["?state=waiting", (_: number, index: number) => index !== 0],
  ["?lane=batch", (i: number) => i % 3 === 0],
  [`?model=${encodeURIComponent(model)}`, (i: number) => i % 2 === 0],
  ["?metadata[run]=2", (i: number) => i % 4 === 2],
  ["?metadata[run]=2&lane=batch", (i: number) => i % 4 === 2 && i % 3 === 0],
  [`?metadata[a%20key]=${encodeURIComponent("ä value&more")}`, () => true],
  ["?metadata[run]=9", () => false],
])("%s shows those and no others", async (query, wanted) => {
  expect(await idsOf(query)).toEqual(ids.filter((_, index) => wanted(11 - index, index)));
});

test("created_after is exclusive and takes any offset", async () => {
  const { body } = await list();
  const at = String(body.jobs[4]?.["created_at"]);
  const later = body.jobs.filter((job) => String(job["created_at"]) > at).map((job) => job.job_id);
  expect(await idsOf(`?created_after=${at}`)).toEqual(later);
  expect(await idsOf("?created_after=2999-01-01T00:00:00%2B02:00")).toEqual([]);
});

test.each([
  "?limit=0",
  "?limit=101",
  "?limit=ten",
  "?state=done",
  "?lane=fast",
  "?created_after=yesterday",
  "?metadata=x",
  "?limit=1&limit=2",
  "?offset=3",
])("%s is 400 and names the parameter", async (query) => {
  const answer = await list(query);
  expect(answer).toMatchObject({ status: 400, body: { code: "invalid_query" } });
  expect(answer.body.errors[0]?.path).toBe(`?${/^\?([^=]+)/.exec(query)?.[1]}`);
});

test("a cursor that was altered or belongs to another list is 400", async () => {
  const { next_cursor: cursor } = (await list("?limit=5")).body;
  expect(cursor).not.toBeNull();
  const good = cursor ?? "";
  const altered = [
    `${good}A`,
    good.slice(1),
    `A${good.slice(1)}`,
    good.toUpperCase(),
    "e30",
    "",
    "%00",
    ids[0],
  ];
  for (const bad of altered) {
    const answer = await list(`?limit=5&cursor=${bad}`);
    expect(answer, String(bad)).toMatchObject({ status: 400, body: { code: "invalid_cursor" } });
  }
  expect((await list(`?limit=5&lane=batch&cursor=${good}`)).status).toBe(400);
  expect((await list(`?limit=3&cursor=${good}`)).status).toBe(200);
});

test("a tenant sees its own jobs alone, operators too", async () => {
  await using own = await createApiFixture(inject("redisUrl"));
  const mine = await own.withKey({ tenant: "mine" });
  const operator = await own.withKey({ tenant: "ops", role: "operator" });
  const { body } = await own.submit({}, mine);
  const seen = async (headers: Record<string, string>) =>
    (await own.call("GET", "/jobs", { headers })).body.jobs.map((job) => job.job_id);
  expect(await seen(mine)).toEqual([body.job_id]);
  expect(await seen(operator)).toEqual([]);
});
