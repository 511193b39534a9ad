import { createKeyStore } from "@forebay/access-keys";
import {
  countOpenJobs,
  createBatchId,
  createBatchStore,
  createFileId,
  enqueueBatch,
} from "@forebay/queue-bullmq";
import { type ServiceProcess, waitFor } from "@forebay/test-harness";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createLiveStack, ended, type LiveStack, model, submit } from "./live-fixture.ts";

let live: LiveStack;
let client: OpenAI;
let apiUrl: string;
let opsUrl: string;
let runner: ServiceProcess;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), {
    models: [model, "nomic-embed-text"],
    numParallel: 4,
    tokensPerS: 2_000,
    loadMs: 10,
  });
  const [api, , firstRunner] = await Promise.all([
    live.startApi({ MODEL_ALIASES: `gpt-4o-mini=${model}` }),
    live.startWorker({ WORKER_CONCURRENCY: "4" }),
    live.startBatchRunner(),
  ]);
  runner = firstRunner;
  apiUrl = api.url;
  opsUrl = api.opsUrl;
  client = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: "none", maxRetries: 0 });
  await ended(api.url, await submit(api.url));
});
afterAll(() => live[Symbol.asyncDispose]());

type Line = { custom_id: string; url?: string; method?: string; body?: unknown };
const chat = (custom_id: string, content = "Say hello", more = {}): Line => ({
  custom_id,
  body: { model, messages: [{ role: "user", content }], max_completion_tokens: 4, ...more },
});

async function upload(lines: readonly (Line | string)[], url = "/v1/chat/completions"): Promise<string> {
  const texts = lines.map((line) =>
    typeof line === "string" ? line : JSON.stringify({ method: "POST", url, ...line }),
  );
  const file = await toFile(Buffer.from(texts.join("\n")), "requests.jsonl");
  return (await client.files.create({ file, purpose: "batch" })).id;
}

type Endpoint = OpenAI.BatchCreateParams["endpoint"];
async function create(lines: readonly (Line | string)[], endpoint: Endpoint = "/v1/chat/completions") {
  const input_file_id = await upload(lines, endpoint);
  return client.batches.create({ input_file_id, endpoint, completion_window: "24h" });
}

function over(id: string): Promise<OpenAI.Batch> {
  return waitFor(
    async () => {
      const batch = await client.batches.retrieve(id);
      return ["completed", "failed", "cancelled", "expired"].includes(batch.status) ? batch : undefined;
    },
    { what: `batch ${id} is over`, timeoutMs: 40_000 },
  );
}

type Entry = {
  id: string;
  custom_id: string;
  response: { status_code: number; request_id: string; body: Record<string, unknown> } | null;
  error: { code: string } | null;
};
async function read(fileId: string | null | undefined): Promise<Entry[]> {
  if (!fileId) return [];
  const text = await (await client.files.content(fileId)).text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Entry);
}
const idsOf = (entries: readonly Entry[]): string[] => entries.map((entry) => entry.custom_id).toSorted();

test("a batch answers every line as the endpoint would, and counts and usage add up", async () => {
  const made = await client.batches.create({
    input_file_id: await upload([chat("a"), chat("b", "Say hi"), chat("c", "x", { model: "gpt-4o-mini" })]),
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
    metadata: { run: "1" },
  });
  expect(made).toMatchObject({ object: "batch", status: "validating", metadata: { run: "1" } });
  const batch = await over(made.id);
  expect(batch).toMatchObject({
    status: "completed",
    errors: null,
    error_file_id: null,
    request_counts: { total: 3, completed: 3, failed: 0 },
  });
  expect(batch.completed_at).toBeGreaterThanOrEqual(batch.created_at);
  const entries = await read(batch.output_file_id);
  expect(idsOf(entries)).toEqual(["a", "b", "c"]);
  const bodies = entries.map((entry) => entry.response?.body as unknown as OpenAI.ChatCompletion);
  expect(new Set(bodies.map((body) => body.model))).toEqual(new Set([model]));
  for (const body of bodies) expect(body.choices[0]?.message.content).toEqual(expect.any(String));
  const tokens = bodies.reduce((sum, body) => sum + (body.usage?.completion_tokens ?? 0), 0);
  expect(batch.usage?.output_tokens).toBe(tokens);
  const output = await client.files.retrieve(batch.output_file_id ?? "");
  expect(output).toMatchObject({ purpose: "batch_output", filename: `${made.id}_output.jsonl` });
  const content = await (await client.files.content(output.id)).text();
  expect(output.bytes).toBe(Buffer.byteLength(content));
});

test("embeddings, completions and responses run too", async () => {
  const embed = { model: "nomic-embed-text", input: ["x", "y"] };
  const [embeddings, completions, responses] = await Promise.all([
    create([{ custom_id: "e", body: { ...embed, encoding_format: "base64" } }], "/v1/embeddings"),
    create([{ custom_id: "t", body: { model, prompt: "Once", max_tokens: 3 } }], "/v1/completions"),
    create(
      [
        { custom_id: "r", body: { model, input: "Hello", max_output_tokens: 4 } },
        { custom_id: "p", body: { model, input: "Hello", previous_response_id: "resp_x" } },
      ],
      "/v1/responses",
    ),
  ]);
  const [e] = await read((await over(embeddings.id)).output_file_id);
  expect(e?.response?.body["data"]).toHaveLength(2);
  const [t] = await read((await over(completions.id)).output_file_id);
  expect(t?.response?.body["object"]).toBe("text_completion");
  const both = await over(responses.id);
  const [r] = await read(both.output_file_id);
  expect(r?.response?.body).toMatchObject({
    object: "response",
    output: [{ type: "message" }],
    store: false,
  });
  const [p] = await read(both.error_file_id);
  expect(p?.response).toMatchObject({ status_code: 400, body: { error: { param: "previous_response_id" } } });
});

test("a body the endpoint refuses fails its line alone, and only such lines are run again by retry", async () => {
  const made = await create([
    chat("good"),
    chat("bad", "x", { temperature: 9 }),
    chat("stream", "x", { stream: true }),
    chat("unknown", "x", { model: "no-such-model" }),
  ]);
  const batch = await over(made.id);
  expect(batch).toMatchObject({ status: "completed", request_counts: { total: 4, completed: 1, failed: 3 } });
  const failed = await read(batch.error_file_id);
  expect(idsOf(failed)).toEqual(["bad", "stream", "unknown"]);
  const statuses = Object.fromEntries(failed.map((entry) => [entry.custom_id, entry.response?.status_code]));
  expect(statuses).toEqual({ bad: 400, stream: 400, unknown: 404 });

  const retried = await client.post<OpenAI.Batch>(`/batches/${batch.id}/retry`);
  expect(retried).toMatchObject({ retry_of: batch.id, endpoint: batch.endpoint });
  const again = await over(retried.id);
  expect(again.request_counts).toEqual({ total: 3, completed: 0, failed: 3 });
  expect(idsOf(await read(again.error_file_id))).toEqual(["bad", "stream", "unknown"]);
});

test("lines that name no call end the batch before anything runs, with their numbers", async () => {
  const before = live.simulator.stats().requests;
  const made = await create([
    chat("a"),
    "not json",
    "",
    chat("a"),
    { ...chat("c"), method: "GET" },
    { ...chat("d"), url: "/v1/embeddings" },
    { custom_id: "e" },
  ]);
  const batch = await over(made.id);
  expect(batch).toMatchObject({ status: "failed", output_file_id: null });
  expect(batch.errors?.data?.map(({ code, line }) => [code, line])).toEqual([
    ["invalid_json_line", 2],
    ["duplicate_custom_id", 4],
    ["invalid_method", 5],
    ["mismatched_url", 6],
    ["invalid_body", 7],
  ]);
  expect(live.simulator.stats().requests).toBe(before);
});

test("a cancelled batch keeps what was done, and every other line is said to be cancelled", async () => {
  const lines = Array.from({ length: 300 }, (_, n) =>
    chat(`line-${n}`, "Tell me a story", { max_completion_tokens: 60 }),
  );
  const made = await create(lines);
  const running = await waitFor(
    async () => {
      const batch = await client.batches.retrieve(made.id);
      return (batch.request_counts?.completed ?? 0) > 0 ? batch : undefined;
    },
    { what: "a line was done", timeoutMs: 20_000 },
  );
  expect((await read(running.output_file_id)).length).toBeGreaterThan(0);
  const inUse = await client.files.delete(made.input_file_id).catch((error: unknown) => error);
  expect(inUse).toMatchObject({ status: 409, code: "file_in_use" });

  expect((await client.batches.cancel(made.id)).status).toBe("cancelling");
  const batch = await over(made.id);
  expect(batch.status).toBe("cancelled");
  const [done, rest] = [await read(batch.output_file_id), await read(batch.error_file_id)];
  expect(batch.request_counts).toEqual({ total: 300, completed: done.length, failed: rest.length });
  expect(idsOf([...done, ...rest])).toEqual(lines.map((line) => line.custom_id).toSorted());
  expect(new Set(rest.map((entry) => entry.error?.code))).toEqual(new Set(["batch_cancelled"]));
  expect(await client.files.delete(made.input_file_id)).toMatchObject({ deleted: true });
  expect(await client.batches.cancel(made.id)).toMatchObject({ status: "cancelled" });
});

test("requests are counted by their route, and ids are in no label", async () => {
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
  expect(metrics).toContain('forebay_http_requests_total{route="/v1/batches/:id",method="GET",status="200"}');
  expect(metrics).toContain('forebay_http_requests_total{route="/v1/files",method="POST",status="200"}');
  expect(metrics).not.toMatch(/batch_[0-9a-f]{32}|file-[0-9a-f]{32}/);
});

test("lists go page by page, newest first", async () => {
  const ids = [];
  for await (const batch of client.batches.list({ limit: 2 })) ids.push(batch.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThan(4);
  const outputs = await client.files.list({ purpose: "batch_output" });
  expect(outputs.data.every((file) => file.purpose === "batch_output")).toBe(true);
});

test("when its window closes, what is left of a batch is said to be expired", async () => {
  const store = createBatchStore(await live.openSpace());
  const now = Math.floor(Date.now() / 1_000);
  const id = createBatchId();
  const input_file_id = await upload([chat("a"), chat("b")]);
  const files = { input_file_id, output_file_id: createFileId(), error_file_id: createFileId() };
  const times = { created_at: now - 86_400, expires_at: now, files_expire_at: now + 3_600 };
  await store.add({ v: 1, id, tenant: "default", endpoint: "/v1/chat/completions", ...files, ...times });
  await enqueueBatch(await live.openSpace(), id);
  const batch = await over(id);
  expect(batch).toMatchObject({ status: "expired", request_counts: { total: 2, completed: 0, failed: 2 } });
  const entries = await read(batch.error_file_id);
  expect(entries.map((entry) => [entry.custom_id, entry.error?.code])).toEqual([
    ["a", "batch_expired"],
    ["b", "batch_expired"],
  ]);
});

test("a batch that is cancelled while no runner is there is cancelled by the next one", async () => {
  await runner.stop();
  const made = await create([chat("a"), chat("b")]);
  await client.batches.cancel(made.id);
  runner = await live.startBatchRunner({ BATCH_LINES_IN_FLIGHT_MAX: "3" });
  const batch = await over(made.id);
  expect(batch).toMatchObject({ status: "cancelled", request_counts: { total: 2, completed: 0, failed: 2 } });
});

test("a batch never has more jobs on the queues than it may", async () => {
  const space = await live.openSpace();
  const made = await create(Array.from({ length: 40 }, (_, n) => chat(`line-${n}`)));
  let most = 0;
  const batch = await waitFor(
    async () => {
      most = Math.max(most, await countOpenJobs(space, "default"));
      const now = await client.batches.retrieve(made.id);
      return now.status === "completed" ? now : undefined;
    },
    { what: "the batch is completed", timeoutMs: 30_000 },
  );
  expect(batch.request_counts?.completed).toBe(40);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(3);
});

test("a batch has what its key has: its models, and half of the jobs its tenant may have open", async () => {
  const space = await live.openSpace();
  const limited = { name: "small", tenant: "small", models: [model], limits: { jobs_open_max: 4 } };
  const { key } = await createKeyStore(space).create(limited);
  await runner.stop();
  await live.startBatchRunner();
  client = new OpenAI({ baseURL: `${apiUrl}/v1`, apiKey: key, maxRetries: 0 });
  // Long enough to be seen.
  const lines = Array.from({ length: 20 }, (_, n) =>
    chat(`line-${n}`, "Say hello", { max_completion_tokens: 100 }),
  );
  const made = await create([...lines, chat("other", "x", { model: "nomic-embed-text" })]);
  let most = 0;
  const batch = await waitFor(
    async () => {
      most = Math.max(most, await countOpenJobs(space, "small"));
      const now = await client.batches.retrieve(made.id);
      return now.status === "completed" ? now : undefined;
    },
    { what: "the batch is completed", timeoutMs: 40_000 },
  );
  expect(most).toBe(2);
  expect(batch.request_counts).toEqual({ total: 21, completed: 20, failed: 1 });
  const [refused] = await read(batch.error_file_id);
  expect(refused).toMatchObject({ custom_id: "other", response: { status_code: 403 } });
});

test("a batch uses its tenant's tokens of the day, and waits when there are none left", async () => {
  const { key } = await createKeyStore(await live.openSpace()).create({
    name: "daily",
    tenant: "daily",
    limits: { tokens_per_day: 200 },
  });
  client = new OpenAI({ baseURL: `${apiUrl}/v1`, apiKey: key, maxRetries: 0 });
  const ask = (path: string, more: object = {}) =>
    fetch(`${apiUrl}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model, prompt: "x", options: { num_predict: 50 }, ...more }),
    });
  const tokensLeft = async (): Promise<number> => {
    const answer = await ask("/jobs?dry_run=true");
    const { estimate, limits } = (await answer.json()) as {
      estimate: { prompt_tokens: number; output_tokens: number };
      limits: { tokens_per_day: { left: number } };
    };
    // What it tells is what such a job would leave.
    return limits.tokens_per_day.left + estimate.prompt_tokens + estimate.output_tokens;
  };
  const done = await over((await create([chat("a"), chat("b")])).id);
  const used = (done.usage?.input_tokens ?? 0) + (done.usage?.output_tokens ?? 0);
  expect(used).toBeGreaterThan(0);
  expect(await tokensLeft()).toBe(200 - used);

  const large = Array.from({ length: 6 }, (_, n) => chat(`large-${n}`, "x", { max_completion_tokens: 100 }));
  const made = await create(large);
  await waitFor(async () => (await ask("/jobs")).status === 429, { what: "the day's tokens are used up" });
  const waiting = await client.batches.retrieve(made.id);
  expect(waiting.status).toBe("in_progress");
  await client.batches.cancel(made.id);
  const batch = await over(made.id);
  expect(batch.status).toBe("cancelled");
  expect(batch.request_counts?.failed).toBeGreaterThan(0);
  expect(batch.request_counts?.total).toBe(6);
});
