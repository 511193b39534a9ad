import { readJob } from "@forebay/queue-bullmq";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { type Answer, type ApiFixture, createApiFixture } from "./api-fixture.ts";

let api: ApiFixture;
let operator: Record<string, string>;
let acme: Record<string, string>;
let other: Record<string, string>;
beforeEach(async () => {
  api = await createApiFixture(inject("redisUrl"), {}, { models: ["llama3.2:3b", "qwen3:8b"] });
  operator = await api.withKey({ tenant: "ops", role: "operator" });
  acme = await api.withKey({ tenant: "acme" });
  other = await api.withKey({ tenant: "other" });
});
afterEach(() => api[Symbol.asyncDispose]());

async function put(
  headers: Record<string, string>,
  count: number,
  fields: Record<string, unknown> = {},
): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const { status, body } = await api.submit(fields, headers);
    expect(status).toBe(202);
    ids.push(body.job_id);
  }
  return ids;
}

const cancel = (headers: Record<string, string>, body: unknown): Promise<Answer> =>
  api.call("POST", "/jobs/cancel", { body, headers });

/** States of these jobs, each name once. */
async function statesOf(ids: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(ids.map((id) => api.call("GET", `/jobs/${id}`, { headers: operator })));
  return [...new Set(answers.map(({ body }) => body.state))].toSorted();
}

test("an operator cancels what a filter means, of all tenants, and nothing else", async () => {
  const meant = [
    ...(await put(acme, 3, { lane: "batch", metadata: { batch: "7" } })),
    ...(await put(other, 2, { lane: "batch", metadata: { batch: "7" } })),
    ...(await put(other, 1, {
      model: "qwen3:8b",
      lane: "batch",
      metadata: { batch: "7" },
      delay_ms: 60_000,
    })),
  ];
  const kept = [
    ...(await put(acme, 2, { lane: "standard", metadata: { batch: "7" } })),
    ...(await put(acme, 2, { lane: "batch", metadata: { batch: "8" } })),
    ...(await put(other, 1, { lane: "batch" })),
  ];
  const body = { filter: { lane: "batch", metadata: { batch: "7" } } };
  const dry = await cancel(operator, { ...body, dry_run: true });
  expect(dry.body).toEqual({ matched: 6, cancelled: 0, stopping: 0, more: false });
  expect(await statesOf(meant)).toEqual(["delayed", "waiting"]);
  const done = await cancel(operator, body);
  expect([done.status, done.body]).toEqual([200, { matched: 6, cancelled: 6, stopping: 0, more: false }]);
  expect(await statesOf(meant)).toEqual(["cancelled"]);
  expect(await statesOf(kept)).toEqual(["waiting"]);
  expect((await cancel(operator, body)).body).toMatchObject({ matched: 0 });
});

test("a client cancels its own tenant's jobs, whatever it leaves out, and never another's", async () => {
  const own = await put(acme, 2);
  const foreign = await put(other, 2);
  expect((await cancel(acme, { filter: { tenant: "other" } })).body).toMatchObject({ code: "forbidden" });
  expect((await cancel(acme, { filter: {}, all: true, dry_run: true })).body).toMatchObject({ matched: 2 });
  expect((await cancel(acme, { filter: {} })).body).toMatchObject({ matched: 2, cancelled: 2 });
  expect(await statesOf(own)).toEqual(["cancelled"]);
  expect(await statesOf(foreign)).toEqual(["waiting"]);
});

test("an operator who names nothing must say that all are meant", async () => {
  const ids = [...(await put(acme, 2)), ...(await put(other, 2, { model: "qwen3:8b" }))];
  const refused = await cancel(operator, { filter: {} });
  expect(refused.status).toBe(422);
  expect(refused.body.errors.map(({ path }) => path)).toEqual(["filter"]);
  expect(await statesOf(ids)).toEqual(["waiting"]);
  expect((await cancel(operator, { filter: {}, all: true })).body).toMatchObject({ cancelled: 4 });
  expect(await statesOf(ids)).toEqual(["cancelled"]);
});

test("at most so many at once, and it says that there are more", async () => {
  const ids = await put(acme, 5);
  const some = { filter: { model: "llama3.2:3b" }, limit: 3 };
  expect((await cancel(operator, some)).body).toEqual({ matched: 3, cancelled: 3, stopping: 0, more: true });
  expect((await cancel(operator, some)).body).toEqual({ matched: 2, cancelled: 2, stopping: 0, more: false });
  expect(await statesOf(ids)).toEqual(["cancelled"]);
  await put(acme, 2);
  expect((await cancel(operator, { ...some, limit: 2 })).body).toMatchObject({ matched: 2, more: false });
});

test("running jobs are stopped by their worker, and only where they are meant", async () => {
  const [running = ""] = await put(acme, 1);
  await api.consume(async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return { kind: "discard", failure: { code: "cancelled", message: "cancelled on request" } };
  });
  await expect.poll(() => statesOf([running])).toEqual(["active"]);
  const [waiting = ""] = await put(acme, 1);
  expect((await cancel(operator, { filter: { state: "waiting" } })).body).toMatchObject({
    matched: 1,
    cancelled: 1,
  });
  expect(await statesOf([running, waiting])).toEqual(["active", "cancelled"]);
  expect((await cancel(operator, { filter: { tenant: "acme" } })).body).toEqual({
    matched: 1,
    cancelled: 0,
    stopping: 1,
    more: false,
  });
  expect((await readJob(api.space, api.directory, running))?.stop).toBe("cancelled");
});

test("thousands are cancelled in one request, while more are put", async () => {
  const ids = await put(acme, 1_200, { metadata: { batch: "big" } });
  const [answer, late] = await Promise.all([
    cancel(operator, { filter: { tenant: "acme", metadata: { batch: "big" } }, limit: 10_000 }),
    put(other, 50),
  ]);
  expect(answer.body).toEqual({ matched: 1_200, cancelled: 1_200, stopping: 0, more: false });
  expect(await statesOf(ids.slice(0, 50))).toEqual(["cancelled"]);
  expect(await statesOf(late)).toEqual(["waiting"]);
  const list = await api.call("GET", "/jobs?state=waiting", { headers: acme });
  expect(list.body.jobs).toEqual([]);
}, 60_000);

test.each([
  [{}, "filter"],
  [{ filter: { state: "completed" } }, "filter.state"],
  [{ filter: { colour: "red" } }, "filter.colour"],
  [{ filter: { tenant: "acme" }, limit: 0 }, "limit"],
  [{ filter: { tenant: "acme" }, force: true }, "force"],
])("%j is refused by name", async (body, path) => {
  const answer = await cancel(operator, body);
  expect([answer.status, answer.body.code]).toEqual([422, "invalid_body"]);
  expect(answer.body.errors.map((error) => error.path)).toEqual([path]);
});
