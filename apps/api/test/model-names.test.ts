import OpenAI from "openai";
import { Ollama } from "ollama";
import { waitFor } from "@forebay/test-harness";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import {
  createLiveStack,
  ended,
  followToEnd,
  get,
  lastView,
  type LiveStack,
  post,
  submit,
  textOf,
} from "./live-fixture.ts";

let live: LiveStack;
let api: string;
beforeAll(async () => {
  const models = ["llama3.2:3b", "llama3.1:8b", "nomic-embed-text"];
  live = await createLiveStack(inject("redisUrl"), { models, maxLoaded: 3, tokensPerS: 400 });
  const [first] = await Promise.all([
    live.startApi({
      MODEL_ALIASES: "gpt-4o-mini=llama3.1:8b,vectors=nomic-embed-text,nowhere=no-such",
      MODEL_FALLBACKS: "llama3.1:8b=llama3.2:3b,no-such=also-none|llama3.2:3b",
      MODEL_FALLBACK_WAITING_MAX: "2",
    }),
    live.startWorker(),
  ]);
  api = first.url;
  await ended(api, await submit(api));
});
afterEach(() => live.simulator.clearFaults());
afterAll(() => live[Symbol.asyncDispose]());

const messages = [{ role: "user" as const, content: "Say hello" }];
const openai = () => new OpenAI({ baseURL: `${api}/v1`, apiKey: "none", maxRetries: 0 });
const ollama = () => new Ollama({ host: api });
const broken = (times?: number) =>
  live.simulator.setFault({
    kind: "500",
    model: "llama3.1:8b",
    message: 'model "llama3.1:8b" not found',
    ...(times !== undefined && { times }),
  });
const asked = () => live.simulator.requests().at(-1)?.model;

test("an alias is served by its model on every surface, and the answer says by which", async () => {
  const native = await ended(api, await submit(api, { model: "gpt-4o-mini" }));
  expect([native.state, native.model, asked()]).toEqual(["completed", "llama3.1:8b", "llama3.1:8b"]);

  const { data, response } = await openai()
    .chat.completions.create({ model: "gpt-4o-mini", messages, max_tokens: 5 })
    .withResponse();
  expect([data.model, response.headers.get("forebay-model"), asked()]).toEqual([
    "llama3.1:8b",
    "llama3.1:8b",
    "llama3.1:8b",
  ]);
  const chunks = await openai().chat.completions.create({
    model: "gpt-4o-mini",
    messages,
    max_tokens: 5,
    stream: true,
  });
  for await (const chunk of chunks) expect(chunk.model).toBe("llama3.1:8b");

  const options = { num_predict: 5 };
  expect((await ollama().chat({ model: "gpt-4o-mini:latest", messages, options })).model).toBe("llama3.1:8b");
  expect((await ollama().embed({ model: "vectors", input: "a" })).embeddings).toHaveLength(1);
});

test("aliases are listed beside the models, as such, where their model is there", async () => {
  const { models } = (await get(api, "/models")).body as unknown as {
    models: { name: string; alias_of?: string }[];
  };
  expect(models.filter(({ alias_of }) => alias_of).map(({ name, alias_of }) => [name, alias_of])).toEqual([
    ["gpt-4o-mini", "llama3.1:8b"],
    ["vectors", "nomic-embed-text:latest"],
  ]);
  const listed = await openai().models.list();
  expect(listed.data).toContainEqual(expect.objectContaining({ id: "gpt-4o-mini", alias_of: "llama3.1:8b" }));
  expect((await openai().models.retrieve("gpt-4o-mini")).id).toBe("gpt-4o-mini");
  const tags = await ollama().list();
  expect(tags.models.map(({ name }) => name)).toContain("gpt-4o-mini");
  expect((await ollama().show({ model: "gpt-4o-mini" })).details.family).toBe("llama");
});

test("a model nobody has gives way at once to the first of its chain that somebody has", async () => {
  const job = await ended(api, await submit(api, { model: "no-such" }));
  expect([job.state, job.model]).toEqual(["completed", "llama3.2:3b"]);
});

test("a model with too many jobs waiting gives way; the job keeps to it when all have", async () => {
  const id = await submit(api, { model: "llama3.1:8b", options: { num_predict: 400, seed: 1 } });
  const models = [];
  const ids = [id];
  for (let i = 0; i < 4; i++) {
    const { body } = await post(api, "/jobs", {
      model: "llama3.1:8b",
      prompt: "Hi",
      options: { num_predict: 2 },
    });
    models.push(body.model);
    ids.push(body.job_id);
  }
  expect(models).toEqual(expect.arrayContaining(["llama3.1:8b", "llama3.2:3b"]));
  for (const each of ids) expect((await ended(api, each)).state).toBe("completed");
});

test("a job that fails for its model's sake goes on with the next one, under its id, for everybody who follows it", async () => {
  broken();
  const id = await submit(api, { model: "llama3.1:8b" });
  const events = await followToEnd(api, id);
  const view = lastView(events);
  expect([view.state, view.model, view.job_id]).toEqual(["completed", "llama3.2:3b", id]);
  expect(textOf(events)).toBe(view.result?.response);
  const numbers = events.map(({ id: number }) => Number(number));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  expect(events.find(({ data }) => data["model"] === "llama3.2:3b")?.event).toBe("state");
  expect((await post(api, `/jobs/${id}/cancel`)).status).toBe(409);
  expect((await get(api, `/jobs/${id}?wait=1`)).body.state).toBe("completed");
});

test("an SDK's call, streamed or not, is answered by the fallback, and told so", async () => {
  broken();
  const answer = await openai().chat.completions.create({ model: "gpt-4o-mini", messages, max_tokens: 5 });
  expect([answer.model, answer.choices[0]?.finish_reason]).toEqual(["llama3.2:3b", "length"]);
  const models = new Set<string>();
  const stream = await openai().chat.completions.create({
    model: "gpt-4o-mini",
    messages,
    max_tokens: 5,
    stream: true,
  });
  for await (const chunk of stream) models.add(chunk.model);
  expect([...models]).toEqual(["llama3.2:3b"]);
  const lines = await ollama().chat({
    model: "llama3.1:8b",
    messages,
    stream: true,
    options: { num_predict: 3 },
  });
  for await (const line of lines) expect(line.model).toBe("llama3.2:3b");
});

test("a chain that is at its end ends the job, with what each model said", async () => {
  live.simulator.setFault({ kind: "500", message: 'model "any" not found' });
  const job = await ended(api, await submit(api, { model: "llama3.1:8b" }));
  const error = job.error as unknown as { code: string; attempts: { code: string }[] };
  expect([job.state, job.model, error.code]).toEqual(["failed", "llama3.2:3b", "model_not_found"]);
  expect(error.attempts.map(({ code }) => code)).toEqual(["model_not_found", "model_not_found"]);
});

test("a request that is wrong is not carried to another model", async () => {
  live.simulator.setFault({
    kind: "500",
    model: "llama3.1:8b",
    message: 'option "num_ctx" must be of type integer',
  });
  const job = await ended(api, await submit(api, { model: "llama3.1:8b" }));
  expect([job.model, job.error?.code]).toEqual(["llama3.1:8b", "invalid_request"]);
});

test("a job that goes on can be cancelled, by whoever holds its connection too", async () => {
  broken();
  const call = { model: "llama3.1:8b", messages, options: { num_predict: 4_000 } };
  const leaving = new AbortController();
  const answer = await fetch(`${api}/api/chat`, {
    method: "POST",
    body: JSON.stringify(call),
    signal: leaving.signal,
  });
  await answer.body?.getReader().read();
  leaving.abort();
  await waitFor(
    async () => {
      const [newest] = (await get(api, "/jobs?limit=1")).body.jobs;
      return newest?.state === "cancelled" ? newest : undefined;
    },
    { what: "the job is cancelled" },
  );
});
