import { afterAll, beforeAll, expect, inject, test } from "vitest";
import {
  type ApiFixture,
  type Body,
  completes,
  createApiFixture,
  discards,
  model,
  resultSaying,
  retries,
} from "./api-fixture.ts";

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"));
});
afterAll(() => api[Symbol.asyncDispose]());

async function ended(fixture: ApiFixture, id: string, headers: Record<string, string> = {}): Promise<Body> {
  const view = async () => (await fixture.call("GET", `/jobs/${id}`, { headers })).body;
  await expect.poll(async () => (await view())["finished_at"], { timeout: 10_000 }).not.toBeNull();
  return view();
}

test("a completed job shows its answer, its cost and where it has been", async () => {
  await using own = await createApiFixture(inject("redisUrl"));
  const { body } = await own.submit();
  await own.consume(async (delivery) => {
    await delivery.recordBackend("gpu-1");
    return completes("An answer.");
  });
  const view = await ended(own, body.job_id);
  const { v: _, type: __, backend: ___, usage, ...result } = resultSaying("An answer.");
  expect(view).toMatchObject({
    state: "completed",
    type: "generate",
    model,
    queue_position: null,
    eta_s: null,
    eta_range_s: null,
    progress: { tokens: 116, percent: null },
    result,
    usage,
    error: null,
    links: { self: `/jobs/${body.job_id}` },
  });
  expect(Object.keys(view["result"] as object).toSorted()).toEqual(Object.keys(result).toSorted());
  expect(view["timeline"]).toEqual([
    { at: view["created_at"], state: "waiting" },
    { at: view["started_at"], state: "active", backend: "gpu-1" },
    { at: view["finished_at"], state: "completed" },
  ]);
});

test("a failed job answers 200 with its error and that of every try", async () => {
  await using own = await createApiFixture(inject("redisUrl"));
  const { body } = await own.submit({ attempts: 2 });
  let tries = 0;
  await own.consume(() => (++tries === 1 ? retries() : discards()));
  const view = await ended(own, body.job_id);
  expect(view).toMatchObject({
    state: "failed",
    result: null,
    usage: null,
    attempts_made: 2,
    error: {
      code: "invalid_request",
      message: "no good",
      retryable: false,
      attempts: [
        { code: "backend_reset", message: "it broke" },
        { code: "invalid_request", message: "no good" },
      ],
    },
  });
  const states = (view["timeline"] as { state: string }[]).map(({ state }) => state);
  expect(states).toEqual(["waiting", "active", "delayed", "active", "failed"]);
});

test("a waiting job says how many are before it", async () => {
  await using own = await createApiFixture(inject("redisUrl"));
  const ids = [];
  for (let i = 0; i < 3; i++) ids.push((await own.submit()).body.job_id);
  const places = await Promise.all(
    ids.map(async (id) => (await own.call("GET", `/jobs/${id}`)).body["queue_position"]),
  );
  expect(places).toEqual([0, 1, 2]);
});

test("unchanged is 304 without a body, changed is 200 with another ETag", async () => {
  await using own = await createApiFixture(inject("redisUrl"));
  const { body } = await own.submit();
  const path = `/jobs/${body.job_id}`;
  const etag = (await own.call("GET", path)).headers.get("etag") ?? "";
  for (const header of [etag, `"x", ${etag}`, "*", etag.replace(/^W\//, "")]) {
    const same = await own.call("GET", path, { headers: { "if-none-match": header } });
    expect(same).toMatchObject({ status: 304, text: "" });
    expect(same.headers.get("etag")).toBe(etag);
  }
  await own.call("POST", `${path}/cancel`);
  const changed = await own.call("GET", path, { headers: { "if-none-match": etag } });
  expect(changed).toMatchObject({ status: 200, body: { state: "cancelled" } });
  expect(changed.headers.get("etag")).not.toBe(etag);
});

test.each([
  ["an id that never was", "j1m803tsyp5kx034c18dc73t8m5ygqyp49"],
  ["no id at all", "nonsense"],
  ["an id with a NUL", "j1%00"],
  ["an id with broken escapes", "j1%E0%A4%A"],
  ["an id of ten thousand characters", "j".repeat(10_000)],
  ["a name of Redis's own", "__proto__"],
])("%s is 404", async (_, id) => {
  const answer = await api.call("GET", `/jobs/${id}`);
  expect(answer).toMatchObject({ status: 404, body: { code: "job_not_found" } });
});

test("another tenant's job is 404, whatever is asked of it", async () => {
  await using own = await createApiFixture(inject("redisUrl"));
  const [mine, theirs] = [await own.withKey({ tenant: "mine" }), await own.withKey({ tenant: "theirs" })];
  const { body } = await own.submit({}, mine);
  for (const [method, path] of [
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "/cancel"],
    ["POST", "/retry"],
  ] as const) {
    const answer = await own.call(method, `/jobs/${body.job_id}${path}`, { headers: theirs });
    expect(answer).toMatchObject({ status: 404, body: { code: "job_not_found" } });
  }
  expect((await own.call("GET", `/jobs/${body.job_id}`, { headers: mine })).body.state).toBe("waiting");
});

test("operators see every tenant's jobs without what they say, admins with it", async () => {
  await using own = await createApiFixture(inject("redisUrl"));
  const owner = await own.withKey({ tenant: "mine" });
  const { body } = await own.submit({}, owner);
  await own.consume(() => completes("A secret."));
  await ended(own, body.job_id, owner);
  const seenBy = async (role: "operator" | "admin") =>
    own.call("GET", `/jobs/${body.job_id}`, { headers: await own.withKey({ tenant: "ops", role }) });
  const [operator, admin] = [await seenBy("operator"), await seenBy("admin")];
  expect(operator.body).toMatchObject({ state: "completed", result: null, usage: { total_tokens: 142 } });
  expect(operator.text).not.toContain("A secret.");
  expect(admin.body["result"]).toMatchObject({ response: "A secret." });
  expect(operator.headers.get("etag")).not.toBe(admin.headers.get("etag"));
});

test("a job whose payload does not parse is shown as far as it goes", async () => {
  const { body } = await api.submit();
  const [key] = await api.space.client.keys(`*:${body.job_id}`);
  await api.space.client.hset(key ?? "", "data", '{"v":9,"tenant":"default"}');
  const answer = await api.call("GET", `/jobs/${body.job_id}`);
  expect(answer).toMatchObject({ status: 200, body: { state: "waiting", type: null, model: null } });
});
