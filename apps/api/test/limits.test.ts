import { expect, inject, test } from "vitest";
import { startRedis } from "@forebay/test-harness";
import { completes, createApiFixture } from "./api-fixture.ts";

test("a burst of 60 over two replicas on a limit of 7 lets exactly 7 through", async () => {
  await using api = await createApiFixture(inject("redisUrl"), { API_TENANT_JOBS_OPEN_MAX: "7" });
  const replica = await api.startReplica();
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? api : replica).submit()),
  );
  const statuses = answers.map((answer) => answer.status);
  expect(statuses.filter((status) => status === 202)).toHaveLength(7);
  expect(statuses.filter((status) => status === 429)).toHaveLength(53);
  expect((await api.call("GET", "/jobs?limit=100")).body.jobs).toHaveLength(7);
});

test("429 says how long to wait and how much is allowed, in every dialect", async () => {
  await using api = await createApiFixture(inject("redisUrl"));
  const headers = await api.withKey({ limits: { jobs_open_max: 2 } });
  await api.submit({}, headers);
  await api.submit({}, headers);
  const answer = await api.submit({}, headers);
  expect(answer).toMatchObject({
    status: 429,
    body: { code: "too_many_open_jobs", open_jobs: 2, open_jobs_max: 2 },
  });
  const after = Number(answer.headers.get("retry-after"));
  expect(after).toBeGreaterThanOrEqual(1);
  expect(after).toBeLessThanOrEqual(60);
  expect(answer.headers.get("ratelimit-policy")).toBe('"open-jobs";q=2;qu="concurrent-requests"');
  expect(answer.headers.get("ratelimit")).toBe(`"open-jobs";r=0;t=${after}`);
  expect(answer.headers.get("x-ratelimit-limit-requests")).toBe("2");
  expect(answer.headers.get("x-ratelimit-remaining-requests")).toBe("0");
});

test("Retry-After follows how fast jobs are finished", async () => {
  const env = { API_TENANT_JOBS_OPEN_MAX: "1" };
  await using fast = await createApiFixture(inject("redisUrl"), env);
  await fast.announce(undefined, { "llama3.2:3b": 50 });
  await using idle = await createApiFixture(inject("redisUrl"), env);
  const refused = async (api: typeof fast) => {
    await api.submit();
    return Number((await api.submit()).headers.get("retry-after"));
  };
  expect(await refused(fast)).toBe(1);
  expect(await refused(idle)).toBeGreaterThanOrEqual(40);
});

test("one tenant's limit is nothing to another", async () => {
  await using api = await createApiFixture(inject("redisUrl"), { API_TENANT_JOBS_OPEN_MAX: "1" });
  const [a, b] = [await api.withKey({ tenant: "a" }), await api.withKey({ tenant: "b" })];
  expect((await api.submit({}, a)).status).toBe(202);
  expect((await api.submit({}, a)).status).toBe(429);
  expect((await api.submit({}, b)).status).toBe(202);
});

test("a place is free again as soon as a job has ended or was deleted", async () => {
  await using api = await createApiFixture(inject("redisUrl"), { API_TENANT_JOBS_OPEN_MAX: "1" });
  const { body } = await api.submit();
  expect((await api.submit()).status).toBe(429);
  await api.call("POST", `/jobs/${body.job_id}/cancel`);
  expect((await api.submit()).status).toBe(202);
  expect((await api.call("POST", `/jobs/${body.job_id}/retry`)).status).toBe(429);
  await api.consume(() => completes());
  await expect.poll(async () => (await api.submit()).status, { timeout: 10_000 }).toBe(202);
});

test("a refused body takes no place", async () => {
  await using api = await createApiFixture(inject("redisUrl"), { API_TENANT_JOBS_OPEN_MAX: "1" });
  for (let i = 0; i < 5; i++) expect((await api.submit({ prompt: "" })).status).toBe(422);
  expect((await api.submit()).status).toBe(202);
});

test("a full backlog is 503 for everybody, with Retry-After, while jobs stay readable", async () => {
  await using api = await createApiFixture(inject("redisUrl"), { API_JOBS_WAITING_MAX: "3" });
  const accepted: string[] = [];
  await expect
    .poll(
      async () => {
        const { status, body } = await api.submit();
        if (status === 202) accepted.push(body.job_id);
        return status;
      },
      { timeout: 10_000 },
    )
    .toBe(503);
  const answer = await api.submit();
  expect(answer).toMatchObject({ status: 503, body: { code: "backlog_full" } });
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect((await api.call("GET", `/jobs/${accepted[0]}`)).status).toBe(200);
  // The gauge is believed for a second; no more than that came in above the limit.
  expect((await api.call("GET", "/jobs?limit=100")).body.jobs).toHaveLength(accepted.length);
});

test("when Redis is nearly full new jobs are 503, and it heals", async () => {
  await using redis = await startRedis({ config: { maxmemory: "64mb", "maxmemory-policy": "noeviction" } });
  await using api = await createApiFixture(redis.url);
  const accepted = await api.submit();
  expect(accepted.status).toBe(202);
  const used = Number(/used_memory:(\d+)/.exec(await api.space.client.info("memory"))?.[1]);
  await api.space.client.config("SET", "maxmemory", String(Math.floor(used / 0.95)));
  const status = async () => {
    const { status: code, body } = await api.submit();
    return body.code ?? code;
  };
  await expect.poll(status, { timeout: 10_000 }).toBe("storage_full");
  expect((await api.call("GET", `/jobs/${accepted.body.job_id}`)).status).toBe(200);
  await api.space.client.config("SET", "maxmemory", "64mb");
  await expect.poll(status, { timeout: 10_000 }).toBe(202);
});
