import { describe, expect, inject, test } from "vitest";
import { jobIdSchema } from "@forebay/queue-contracts";
import { type ApiFixture, completes, createApiFixture, model } from "./api-fixture.ts";

describe("requests per minute", () => {
  test("are held over replicas, with what is left said in every dialect", async () => {
    await using api = await createApiFixture(inject("redisUrl"));
    const replica = await api.startReplica();
    const headers = await api.withKey({ limits: { requests_per_min: 4 } });
    const first = await api.submit({}, headers);
    expect(first.status).toBe(202);
    expect(first.headers.get("ratelimit-policy")).toBe('"requests";q=4;w=60');
    expect(first.headers.get("x-ratelimit-remaining-requests")).toBe("3");
    const rest = await Promise.all(
      Array.from({ length: 8 }, (_, i) => (i % 2 ? api : replica).submit({}, headers)),
    );
    expect(rest.filter(({ status }) => status === 202)).toHaveLength(3);
    const refusals = rest.filter(({ status }) => status === 429);
    const [refused] = refusals;
    expect(refused?.body).toMatchObject({ code: "rate_limited", limit: "requests" });
    // One of four a minute comes back every fifteen seconds, and each is told another time, a minute ahead at most.
    const afters = refusals.map((each) => Number(each.headers.get("retry-after"))).toSorted((a, b) => a - b);
    expect(afters).toHaveLength(5);
    for (const [nth, after] of afters.entries()) {
      expect(after).toBeGreaterThanOrEqual(Math.min(15 * (nth + 1), 60) - 1);
      expect(after).toBeLessThanOrEqual(Math.min(15 * (nth + 1), 60) + 2);
    }
    expect(refused?.headers.get("x-ratelimit-remaining-requests")).toBe("0");
  });

  test("are one tenant's, whatever key it uses, and a refused job is nowhere", async () => {
    await using api = await createApiFixture(inject("redisUrl"), { API_TENANT_REQUESTS_PER_MIN: "1" });
    const [a, again, other] = [
      await api.withKey({ tenant: "a" }),
      await api.withKey({ tenant: "a" }),
      await api.withKey({ tenant: "b" }),
    ];
    expect((await api.submit({}, a)).status).toBe(202);
    expect((await api.submit({}, again)).status).toBe(429);
    expect((await api.submit({}, other)).status).toBe(202);
    expect((await api.call("GET", "/jobs", { headers: a })).body.jobs).toHaveLength(1);
  });

  test("hold for OpenAI's and Ollama's routes too", async () => {
    await using api = await createApiFixture(inject("redisUrl"));
    await api.consume(() => completes());
    const headers = await api.withKey({ limits: { requests_per_min: 1 } });
    const body = { model, prompt: "Why?", stream: false };
    const first = await api.call("POST", "/api/generate", { body, headers });
    expect([first.status, first.headers.get("x-ratelimit-remaining-requests")]).toEqual([200, "0"]);
    const refused = await api.call("POST", "/v1/completions", { body, headers });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

describe("tokens", () => {
  const body = { options: { num_predict: 50 } };

  test("of a minute are reserved as expected, and given back when the job is cancelled", async () => {
    await using api = await createApiFixture(inject("redisUrl"));
    const headers = await api.withKey({ limits: { tokens_per_min: 100 } });
    const first = await api.submit(body, headers);
    const left = Number(first.headers.get("x-ratelimit-remaining-tokens"));
    expect(left).toBeLessThanOrEqual(50);
    expect((await api.submit(body, headers)).body).toMatchObject({ code: "rate_limited", limit: "tokens" });
    await api.call("POST", `/jobs/${first.body.job_id}/cancel`, { headers });
    expect((await api.submit(body, headers)).status).toBe(202);
  });

  test("of a day are settled by what was used", async () => {
    await using api = await createApiFixture(inject("redisUrl"));
    const headers = await api.withKey({ limits: { tokens_per_day: 160 } });
    const long = { options: { num_predict: 100 } };
    const { body: job } = await api.submit(long, headers);
    expect((await api.submit(long, headers)).body).toMatchObject({
      code: "rate_limited",
      limit: "tokens-day",
    });
    await api.consume(() => completes());
    while ((await api.call("GET", `/jobs/${job.job_id}?wait=10`, { headers })).body.state !== "completed");
    // 142 were used, more than was reserved; one for the prompt and one for the answer of the next.
    const next = { prompt: "x", model, options: { num_predict: 1 } };
    const dry = await api.call("POST", "/jobs?dry_run=true", { body: next, headers });
    expect(dry.body["limits"]).toMatchObject({ tokens_per_day: { limit: 160, left: 16 } });
  });
});

describe("a start deadline", () => {
  test("that cannot be met is refused with what could be, and one that can is taken", async () => {
    await using api = await createApiFixture(inject("redisUrl"));
    for (let job = 0; job < 20; job++) await api.submit();
    // The backlog is believed for a second.
    await api.submit({}, {});
    const refused = await api.startReplica().then((fresh) => fresh.submit({ start_deadline_s: 1 }));
    expect(refused).toMatchObject({ status: 503, body: { code: "deadline_unreachable" } });
    const [low, high] = refused.body["eta_range_s"] as [number, number];
    expect(low).toBeGreaterThan(1);
    expect(high).toBeGreaterThan(low);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await api.submit({ start_deadline_s: 3_600 })).status).toBe(202);
  });
});

test("a backlog of more work than allowed is 503 for the model's hosts, and not for others", async () => {
  await using api = await createApiFixture(inject("redisUrl"), { API_BACKLOG_MAX_S: "20" });
  for (let job = 0; job < 12; job++) await api.submit();
  const fresh = await api.startReplica();
  const refused = await fresh.submit();
  expect(refused).toMatchObject({ status: 503, body: { code: "backlog_full" } });
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(1);
});

describe("who was sent away for a full line", () => {
  const fill = async (api: Pick<ApiFixture, "submit">): Promise<void> => {
    while ((await api.submit()).status === 202);
  };
  const promises = (api: ApiFixture): Promise<string[]> =>
    api.space.client.keys(api.space.key("promises", "of", "*"));
  /** Time passes for those who hold promises. */
  const makeDue = async (api: ApiFixture): Promise<void> => {
    for (const key of await promises(api)) {
      for (const promise of await api.space.client.zrange(key, "0", "-1")) {
        await api.space.client.zadd(key, "0", promise);
      }
    }
  };
  const env = { API_BACKLOG_MAX_S: "20" };

  test("was told a time of its own, by whichever replica, and is let in then, before all who are new", async () => {
    await using api = await createApiFixture(inject("redisUrl"), env);
    const replica = await api.startReplica();
    await fill(api);
    const waits: number[] = [];
    for (let caller = 0; caller < 6; caller++) {
      const refused = await (caller % 2 ? replica : api).submit({ prompt: `From ${caller}` });
      expect(refused).toMatchObject({ status: 503, body: { code: "backlog_full" } });
      waits.push(Number(refused.headers.get("retry-after")));
    }
    expect(waits).toEqual([...new Set(waits)].toSorted((a, b) => a - b));
    await makeDue(api);
    expect((await api.submit({ prompt: "New" })).status).toBe(503);
    expect((await api.submit({ prompt: "From 1" })).status).toBe(202);
    expect((await replica.submit({ prompt: "From 4", start_deadline_s: 3_600 })).status).toBe(202);
    expect((await api.submit({ prompt: "From 1" })).status).toBe(503);
  });

  test("because too many jobs wait, is told a time of its own too", async () => {
    await using api = await createApiFixture(inject("redisUrl"), { API_JOBS_WAITING_MAX: "8" });
    await api.announce(undefined, { [model]: 0.5 });
    const replica = await api.startReplica();
    await fill(replica);
    const refused = [];
    for (let caller = 0; caller < 4; caller++)
      refused.push(await replica.submit({ prompt: `From ${caller}` }));
    const waits = refused.map(({ headers }) => Number(headers.get("retry-after")));
    expect(waits).toEqual([...new Set(waits)].toSorted((a, b) => a - b));
    await makeDue(api);
    expect((await replica.submit({ prompt: "New" })).status).toBe(503);
    expect((await replica.submit({ prompt: "From 3" })).status).toBe(202);
  });

  test("is known again by its Idempotency-Key, in its own tenant alone", async () => {
    await using api = await createApiFixture(inject("redisUrl"), env);
    const [a, b] = [await api.withKey({ tenant: "a" }), await api.withKey({ tenant: "b" })];
    while ((await api.submit({}, a)).status === 202);
    const key = { "idempotency-key": "k-1" };
    expect((await api.submit({ prompt: "1" }, { ...a, ...key })).status).toBe(503);
    await makeDue(api);
    expect((await api.submit({ prompt: "1" }, { ...b, ...key })).status).toBe(503);
    expect((await api.submit({ prompt: "2" }, { ...a, ...key })).status).toBe(202);
  });

  test("is told the same in OpenAI's words, or not to try again when that is more than SDKs wait for", async () => {
    await using api = await createApiFixture(inject("redisUrl"), env);
    await fill(api);
    const complete = (prompt: string) => api.call("POST", "/v1/completions", { body: { model, prompt } });
    const soon = await complete("1");
    expect([soon.status, soon.headers.get("x-should-retry")]).toEqual([503, null]);
    expect(Number(soon.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    for (let caller = 0; caller < 40; caller++) await complete(`More ${caller}`);
    const late = await complete("2");
    expect([late.headers.get("retry-after"), late.headers.get("x-should-retry")]).toEqual([null, "false"]);
  });

  test("a dry run tells the same and is promised nothing", async () => {
    await using api = await createApiFixture(inject("redisUrl"), env);
    while (
      (await api.call("POST", "/jobs?dry_run=true", { body: { prompt: "x", model } })).body["accepted"]
    ) {
      await api.submit();
    }
    expect(await promises(api)).toEqual([]);
  });
});

describe("a waiting job", () => {
  test("says when it is expected to start, and the more waits the later", async () => {
    await using api = await createApiFixture(inject("redisUrl"));
    const first = await api.submit();
    expect(first.body).toMatchObject({ queue_position: 0, eta_s: 0 });
    for (let job = 0; job < 9; job++) await api.submit();
    const fresh = await api.startReplica();
    const { body } = await fresh.submit();
    expect(body["queue_position"]).toBe(10);
    expect(body["eta_s"]).toBeGreaterThan(10);
    const [low = 0, high = 0] = body["eta_range_s"] as number[];
    expect(low).toBeLessThan(body["eta_s"] as number);
    expect(high).toBeGreaterThan(body["eta_s"] as number);
    const read = await fresh.call("GET", `/jobs/${body.job_id}`);
    expect(read.body["eta_s"]).toBeGreaterThan(10);
    const [listed] = (await fresh.call("GET", "/jobs?limit=1")).body.jobs;
    expect(listed?.["eta_s"]).toBeGreaterThan(10);
  });

  test("nobody can run says that nobody can tell", async () => {
    await using api = await createApiFixture(inject("redisUrl"));
    await api.announce(["qwen3:8b"]);
    const { body } = await api.submit({ model: "qwen3:8b" });
    await api.announce([]);
    const fresh = await api.startReplica();
    expect((await fresh.call("GET", `/jobs/${body.job_id}`)).body["eta_s"]).toBeNull();
  });
});

describe("a dry run", () => {
  test("tells what would happen, and nothing does", async () => {
    await using api = await createApiFixture(inject("redisUrl"));
    const headers = await api.withKey({ limits: { requests_per_min: 5, jobs_open_max: 1 } });
    const dry = () =>
      api.call("POST", "/jobs?dry_run=true", {
        body: { prompt: "Why?", model, options: { num_predict: 7 } },
        headers,
      });
    const before = await api.space.client.keys(`${api.prefix}:*`);
    const answer = await dry();
    expect(answer).toMatchObject({
      status: 200,
      body: {
        dry_run: true,
        accepted: true,
        refusal: null,
        model,
        lane: "standard",
        estimate: { prompt_tokens: 1, output_tokens: 7 },
        queue_position: 0,
        eta_s: 0,
        limits: {
          open_jobs: 0,
          open_jobs_max: 1,
          requests_per_min: { limit: 5, left: 4 },
          tokens_per_min: null,
        },
      },
    });
    expect(await api.space.client.keys(`${api.prefix}:*`)).toEqual(before);
    await api.submit({}, headers);
    expect((await dry()).body).toMatchObject({
      accepted: false,
      refusal: { code: "too_many_open_jobs", status: 429 },
      limits: { open_jobs: 1, requests_per_min: { left: 3 } },
    });
  });

  test("of a job that could never be taken is refused like the job", async () => {
    await using api = await createApiFixture(inject("redisUrl"));
    const call = (query: string, body: object) => api.call("POST", `/jobs?${query}`, { body });
    expect(await call("dry_run=true", {})).toMatchObject({ status: 422, body: { code: "invalid_body" } });
    const unknown = await call("dry_run=true", { prompt: "x", model: "nobody:1b" });
    expect(unknown).toMatchObject({ status: 422, body: { code: "model_not_found" } });
    expect(await call("dry_run=perhaps", { prompt: "x" })).toMatchObject({ status: 400 });
    expect(await call("dryrun=true", { prompt: "x" })).toMatchObject({ status: 400 });
    const put = await call("dry_run=false", { prompt: "x", model });
    expect(put.status).toBe(202);
    expect(jobIdSchema.safeParse(put.body.job_id).success).toBe(true);
  });
});
