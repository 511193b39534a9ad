import { readJob } from "@forebay/queue-bullmq";
import { inferenceJobSchema } from "@forebay/queue-contracts";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type ApiFixture, createApiFixture, model } from "./api-fixture.ts";

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"), { OLLAMA_DEFAULT_MODEL: model });
  await api.announce([model, "nomic-embed-text"]);
});
afterAll(() => api[Symbol.asyncDispose]());

const stored = async (id: string) => readJob(api.space, api.directory, id);

test("202 says where the job is and shows it as GET does", async () => {
  const { status, headers, body } = await api.submit({ metadata: { ticket: "7" } });
  expect(status).toBe(202);
  expect(headers.get("location")).toBe(`/jobs/${body.job_id}`);
  expect(body).toMatchObject({
    state: "waiting",
    type: "generate",
    model,
    lane: "standard",
    started_at: null,
    finished_at: null,
    queue_position: 0,
    attempts_made: 0,
    attempts_max: 3,
    result: null,
    error: null,
    metadata: { ticket: "7" },
  });
  const seen = await api.call("GET", `/jobs/${body.job_id}`);
  expect(seen.body).toEqual(body);
});

test("what is stored is a payload every worker can parse, with the caller's fields unchanged", async () => {
  const fields = {
    prompt: 'Grüße 🙂\n\t"quoted"',
    system: "Be brief.",
    options: { temperature: 0.2, stop: ["\n\n"], num_ctx: 8_192 },
    format: { type: "object", properties: { answer: { type: "string" } }, required: ["answer"] },
    think: "low",
    keep_alive: "5m",
    lane: "interactive",
    user: "ada",
    attempts: 7,
    stream: false,
    metadata: { "a key": "a value" },
  };
  const { body } = await api.submit(fields);
  const record = await stored(body.job_id);
  const { attempts, lane, user, stream, metadata, ...request } = fields;
  expect(record?.attemptsMax).toBe(attempts);
  expect(inferenceJobSchema.parse(record?.payload)).toMatchObject({
    v: 1,
    type: "generate",
    tenant: "default",
    model,
    lane,
    user,
    stream,
    metadata,
    request,
  });
});

test.each([
  ["a prompt", { prompt: "hi" }, "generate"],
  ["messages", { prompt: undefined, messages: [{ role: "user", content: "hi" }] }, "chat"],
  ["input", { prompt: undefined, model: "nomic-embed-text", input: ["a", "b"] }, "embed"],
])("%s makes its type of job, with or without naming it", async (_, fields, type) => {
  for (const named of [{}, { type }]) {
    const { status, body } = await api.submit({ ...fields, ...named });
    expect(status).toBe(202);
    expect(body["type"]).toBe(type);
    expect((await stored(body.job_id))?.job?.type).toBe(type);
  }
});

test("without a model the default one is used", async () => {
  expect((await api.submit({ model: undefined })).body["model"]).toBe(model);
});

test("a context is rounded up to a bucket, so that jobs share queues", async () => {
  const ids = await Promise.all(
    [5_000, 8_192, 8_193].map(async (num_ctx) => (await api.submit({ options: { num_ctx } })).body.job_id),
  );
  const records = await Promise.all(ids.map(stored));
  expect(records.map((record) => record?.job?.request.options?.num_ctx)).toEqual([8_192, 8_192, 16_384]);
  const [a, b, c] = records.map((record) => record?.queueName);
  expect(a).toBe(b);
  expect(c).not.toBe(a);
});

test("jobs of a more urgent lane stand before others, and a job knows its place", async () => {
  const fields = { options: { num_ctx: 32_768 } };
  const places: unknown[] = [];
  for (const lane of ["batch", "interactive", "interactive", "batch"]) {
    places.push((await api.submit({ ...fields, lane })).body["queue_position"]);
  }
  expect(places).toEqual([0, 0, 1, 3]);
});

test("new sets of runner options are refused once there are too many queues, known ones go on", async () => {
  await using small = await createApiFixture(inject("redisUrl"), { API_QUEUES_MAX: "2" });
  const submit = (num_gpu: number) => small.submit({ options: { num_gpu } });
  expect((await submit(1)).status).toBe(202);
  expect((await submit(2)).status).toBe(202);
  const refused = await submit(3);
  expect(refused).toMatchObject({ status: 422, body: { code: "too_many_queues" } });
  expect((await submit(2)).status).toBe(202);
});

test("an unknown model is refused before it is queued, and the known ones are named", async () => {
  const { status, body } = await api.submit({ model: "gpt-7" });
  expect(status).toBe(422);
  expect(body).toMatchObject({ code: "model_not_found", models: ["llama3.2:3b", "nomic-embed-text:latest"] });
});

test("a model is known as soon as a worker announces it", async () => {
  expect((await api.submit({ model: "qwen3:8b" })).status).toBe(422);
  await api.announce([model, "nomic-embed-text", "qwen3:8b"]);
  await expect
    .poll(async () => (await api.submit({ model: "qwen3:8b" })).status, { timeout: 5_000 })
    .toBe(202);
});

test("before any worker was there, jobs are refused for now", async () => {
  await using empty = await createApiFixture(inject("redisUrl"), {}, { models: [] });
  const { status, headers, body } = await empty.submit();
  expect(status).toBe(503);
  expect(body.code).toBe("no_workers");
  expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
});

test("GET /models lists what jobs can name, and where it is served", async () => {
  const { status, body } = await api.call("GET", "/models");
  expect(status).toBe(200);
  expect(body["models"]).toContainEqual({
    name: model,
    backends: [{ name: "gpu-1", up: true, loaded: true, slots: 1 }],
  });
});
