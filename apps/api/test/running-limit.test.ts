import { waitFor } from "@forebay/test-harness";
import OpenAI, { toFile } from "openai";
import { expect, inject, test } from "vitest";
import { apiConfigSchema } from "../src/config.ts";
import { completes, createApiFixture } from "./api-fixture.ts";
import { createLiveStack, ended, model, post, submit } from "./live-fixture.ts";

test("a job that its tenant's limit holds says so, everywhere, and can be cancelled; a new key's limit holds at once", async () => {
  await using api = await createApiFixture(inject("redisUrl"));
  const limited = await api.withKey({ tenant: "small", limits: { jobs_running_max: 1 } });
  const ends = new Map<string, () => void>();
  const consumer = await api.consume(async ({ id, signal }) => {
    await new Promise<void>((resolve) => {
      ends.set(id, resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    return completes();
  });
  consumer.setConcurrency(3);
  const first = await api.submit({}, limited);
  expect(first.body).toMatchObject({ state: "waiting", waiting_for: null, queue_position: 0 });
  await waitFor(() => ends.has(first.body.job_id), { what: "it runs" });

  const held = { state: "waiting", waiting_for: "running_limit", queue_position: null, eta_s: null };
  const [second, third] = [await api.submit({}, limited), await api.submit({}, limited)];
  expect([second.body, third.body]).toMatchObject([held, held]);
  const other = await api.submit({}, await api.withKey({ tenant: "other" }));
  await waitFor(() => ends.has(other.body.job_id), { what: "another tenant's job runs" });
  const view = async (id: string) => (await api.call("GET", `/jobs/${id}`, { headers: limited })).body;
  expect(await view(second.body.job_id)).toMatchObject(held);
  expect((await api.call("GET", "/jobs?state=waiting", { headers: limited })).body.jobs).toMatchObject([
    held,
    held,
  ]);
  const dry = await api.call("POST", "/jobs?dry_run=true", {
    body: { model, prompt: "Hi" },
    headers: limited,
  });
  expect(dry.body).toMatchObject({
    accepted: true,
    waiting_for: "running_limit",
    queue_position: null,
    limits: { running_jobs: 1, running_jobs_max: 1 },
  });
  const later = await api.submit({ delay_ms: 60_000 }, limited);
  expect(await view(later.body.job_id)).toMatchObject({ state: "delayed", waiting_for: null });

  expect(
    (await api.call("POST", `/jobs/${second.body.job_id}/cancel`, { headers: limited })).body,
  ).toMatchObject({
    state: "cancelled",
    waiting_for: null,
  });
  expect(ends.has(third.body.job_id)).toBe(false);
  await api.withKey({ tenant: "small", limits: { jobs_running_max: 2 } });
  await waitFor(() => ends.has(third.body.job_id), { what: "the next one runs" });
  for (const end of ends.values()) end();
});

test("tenants whose keys say nothing have the limit of all: jobs, calls and batches, also when a worker is killed", async () => {
  const models = [model, "qwen3:8b"];
  await using live = await createLiveStack(inject("redisUrl"), {
    models,
    numParallel: 4,
    maxLoaded: 2,
    loadMs: 10,
    tokensPerS: 100,
  });
  const locks = { WORKER_CONCURRENCY: "4", WORKER_LOCK_MS: "1000", WORKER_STALLED_CHECK_MS: "500" };
  const [api, dies] = await Promise.all([
    live.startApi({ API_TENANT_JOBS_RUNNING_MAX: "2" }),
    live.startWorker(locks),
    live.startWorker(locks),
    live.startBatchRunner(),
  ]);
  await ended(api.url, await submit(api.url));
  let most = 0;
  const sampling = setInterval(() => (most = Math.max(most, live.simulator.stats().active)), 2);
  try {
    const client = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: "none", maxRetries: 0 });
    const body = { model, messages: [{ role: "user" as const, content: "Hi" }], max_completion_tokens: 4 };
    const lines = Array.from({ length: 8 }, (_, index) =>
      JSON.stringify({ custom_id: `l${index}`, method: "POST", url: "/v1/chat/completions", body }),
    );
    const file = await toFile(Buffer.from(lines.join("\n")), "requests.jsonl");
    const { id: input_file_id } = await client.files.create({ file, purpose: "batch" });
    const endpoint = "/v1/chat/completions";
    const [batch, ...ids] = await Promise.all([
      client.batches.create({ input_file_id, endpoint, completion_window: "24h" }),
      ...Array.from({ length: 16 }, async (_, index) => {
        const { body: view } = await post(api.url, "/jobs", {
          model: models[index % 2],
          prompt: "Tell me",
          options: { num_predict: 40, seed: 1 },
        });
        return view.job_id;
      }),
    ]);
    await waitFor(() => live.simulator.stats().active === 2, { what: "two run" });
    const call = client.chat.completions.create(body);
    await dies.kill("SIGKILL");
    const answer = await call;
    expect(answer.choices[0]?.finish_reason).toBeTypeOf("string");
    for (const id of ids) expect((await ended(api.url, id)).state).toBe("completed");
    const over = await waitFor(
      async () => {
        const now = await client.batches.retrieve(batch.id);
        return now.status === "completed" ? now : undefined;
      },
      { what: "the batch is over", timeoutMs: 25_000 },
    );
    expect(over.request_counts).toMatchObject({ completed: 8, failed: 0 });
    expect(most).toBe(2);
  } finally {
    clearInterval(sampling);
  }
}, 90_000);

test.each(["0", "-1", "2.5", "many"])("a limit for all of %s is refused by name", (value) => {
  const env = { REDIS_URL: "redis://localhost", API_TENANT_JOBS_RUNNING_MAX: value };
  const paths = apiConfigSchema.safeParse(env).error?.issues.map(({ path }) => path.join("."));
  expect(paths).toEqual(["API_TENANT_JOBS_RUNNING_MAX"]);
});
