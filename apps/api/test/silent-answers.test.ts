import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOllama } from "@langchain/ollama";
import { ChatOpenAI } from "@langchain/openai";
import { generateText } from "ai";
import { createOllama } from "ai-sdk-ollama";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import { createLiveStack, ended, get, type LiveStack, model, post, submit } from "./live-fixture.ts";

let live: LiveStack;
let api: string;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { numParallel: 6, tokensPerS: 100 });
  const [first] = await Promise.all([
    live.startApi({ API_SILENT_ANSWER_S: "0.3" }),
    live.startWorker({ WORKER_CONCURRENCY: "6", DELIVERY_BACKOFF_BASE_MS: "20" }),
  ]);
  api = first.url;
  await ended(api, await submit(api, { options: { num_predict: 1 } }));
});
afterEach(() => live.simulator.clearFaults());
afterAll(() => live[Symbol.asyncDispose]());

const ask = "Say hello";
const messages = [{ role: "user" as const, content: ask }];
/** Over a second of work: longer than the API may be silent. */
const tokens = 120;
const slow = { model, messages, max_tokens: tokens, seed: 1 };
const openai = () => new OpenAI({ baseURL: `${api}/v1`, apiKey: "none", maxRetries: 0 });

const clients: Record<string, () => Promise<string>> = {
  openai: async () => (await openai().chat.completions.create(slow)).choices[0]?.message.content ?? "",
  ollama: async () => {
    const call = { model, messages, options: { num_predict: tokens } };
    return (await new Ollama({ host: api }).chat(call)).message.content;
  },
  "@langchain/openai": async () => {
    const configuration = { baseURL: `${api}/v1` };
    return (await new ChatOpenAI({ configuration, apiKey: "none", model, maxTokens: tokens }).invoke(ask))
      .text;
  },
  "@langchain/ollama": async () =>
    (await new ChatOllama({ baseUrl: api, model, numPredict: tokens }).invoke(ask)).text,
  "@ai-sdk/openai-compatible": async () => {
    const provider = createOpenAICompatible({ name: "forebay", baseURL: `${api}/v1` });
    return (await generateText({ model: provider(model), maxOutputTokens: tokens, prompt: ask })).text;
  },
  "ai-sdk-ollama": async () => {
    const provider = createOllama({ baseURL: api });
    return (await generateText({ model: provider(model), maxOutputTokens: tokens, prompt: ask })).text;
  },
};

test("every client reads an answer that began with blanks", async () => {
  const texts = await Promise.all(
    Object.entries(clients).map(async ([name, call]) => [name, await call()] as const),
  );
  for (const [name, text] of texts) expect(text.length, name).toBeGreaterThan(100);
});

test.each([
  ["/v1/chat/completions", slow],
  ["/api/chat", { model, messages, stream: false, options: { num_predict: tokens } }],
])(
  "%s: an answer that takes long begins as 200, with a blank now and then, and is whole in the end",
  async (path, body) => {
    const answer = await fetch(api + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(answer.headers.get("forebay-model")).toBe(model);
    const text = await answer.text();
    expect(text).toMatch(/^ {2,}\{/);
    expect(JSON.parse(text)).toMatchObject({ model });
  },
);

test("one that comes soon has no blank", async () => {
  const { headers } = await post(api, "/v1/chat/completions", { ...slow, max_tokens: 2 });
  expect(headers.get("content-length")).not.toBeNull();
});

test("a job that fails after that says why and breaks off; an SDK that tries again learns its status", async () => {
  live.simulator.setFault({
    kind: "in_band_error",
    after_tokens: 60,
    message: "this model may be incompatible with your version",
  });
  const call = (retries: string) =>
    fetch(`${api}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-stainless-retry-count": retries },
      body: JSON.stringify(slow),
    });
  const before = (await get(api, "/jobs?limit=50")).body.jobs.length;
  const answer = await call("0");
  expect(answer.status).toBe(200);
  let text = "";
  const read = async () => {
    for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) text += piece;
  };
  await expect(read()).rejects.toThrow(/terminated/);
  expect(JSON.parse(text)).toMatchObject({ error: { code: "invalid_request" } });
  const again = await call("1");
  expect([again.status, await again.json()]).toMatchObject([400, { error: { code: "invalid_request" } }]);
  expect((await get(api, "/jobs?limit=50")).body.jobs).toHaveLength(before + 1);
});

test("the openai SDK fails with an error then, and never takes what is wrong for an answer", async () => {
  live.simulator.setFault({
    kind: "in_band_error",
    after_tokens: 60,
    message: "this model may be incompatible with your version",
  });
  await expect(openai().chat.completions.create(slow)).rejects.toThrow();
});

test.each([
  ["/v1/chat/completions", slow],
  ["/v1/embeddings", { model, input: "a" }],
  ["/api/chat", { model, messages, options: { num_predict: tokens } }],
])("%s with Prefer: respond-async is a job to come back for", async (path, body) => {
  const answer = await post(api, path, body, { prefer: "respond-async" });
  expect(answer.status).toBe(202);
  expect(answer.headers.get("preference-applied")).toBe("respond-async");
  expect(answer.headers.get("location")).toBe(`/jobs/${answer.body.job_id}`);
  expect((await ended(api, answer.body.job_id)).finished_at).not.toBeNull();
});

test("Prefer: wait=N answers in time, or with the job, which goes on", async () => {
  const soon = await post(api, "/v1/chat/completions", { ...slow, max_tokens: 2 }, { prefer: "wait=20" });
  expect([soon.status, soon.headers.get("preference-applied")]).toEqual([200, "wait=20"]);
  const late = await post(api, "/v1/chat/completions", slow, { prefer: "wait=0" });
  expect([late.status, late.body.state]).toEqual([202, expect.stringMatching(/waiting|active/)]);
  expect((await ended(api, late.body.job_id)).state).toBe("completed");
  const stream = await post(
    api,
    "/api/generate",
    { model, prompt: "a", stream: false },
    { prefer: "wait=0" },
  );
  expect(stream.status).toBe(202);
});
