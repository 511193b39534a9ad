import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { waitFor } from "@forebay/test-harness";
import { createLiveStack, ended, get, type LiveStack, model, submit } from "./live-fixture.ts";

let live: LiveStack;
let api: string;
/** The official SDK, at us and at the simulated Ollama itself. */
let ours: OpenAI;
let direct: OpenAI;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { numParallel: 2, tokensPerS: 400 });
  const [first] = await Promise.all([live.startApi(), live.startWorker({ WORKER_CONCURRENCY: "2" })]);
  api = first.url;
  ours = new OpenAI({ baseURL: `${api}/v1`, apiKey: "none", maxRetries: 0 });
  direct = new OpenAI({ baseURL: `${live.simulator.url}/v1`, apiKey: "none", maxRetries: 0 });
  await ended(api, await submit(api));
});
afterAll(() => live[Symbol.asyncDispose]());

const hello = {
  model,
  messages: [{ role: "user" as const, content: "Say hello" }],
  seed: 7,
  max_completion_tokens: 30,
};
const theirs = { ...hello, max_tokens: 30 };

test("a completion has the text, the reason and the usage that Ollama's own endpoint gives", async () => {
  const [through, straight] = await Promise.all([
    ours.chat.completions.create(hello),
    direct.chat.completions.create(theirs),
  ]);
  const told = ({ object, model: named, usage, choices: [choice] }: typeof through) => ({
    object,
    named,
    usage,
    content: choice?.message.content,
    reason: choice?.finish_reason,
  });
  expect(told(through)).toEqual(told(straight));
});

test("streamed, the chunks make the same text, and the usage comes last", async () => {
  const stream = await ours.chat.completions.create({
    ...hello,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  const straight = await direct.chat.completions.create(theirs);
  expect(text).toBe(straight.choices[0]?.message.content);
  expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("length");
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: straight.usage });
});

test("probabilities come whole, or with the last chunk of a stream", async () => {
  const call = { ...hello, logprobs: true, top_logprobs: 2 };
  const [through, straight] = await Promise.all([
    ours.chat.completions.create(call),
    direct.chat.completions.create({ ...call, max_tokens: 30 }),
  ]);
  expect(through.choices[0]?.logprobs?.content).toEqual(straight.choices[0]?.logprobs?.content);
  const streamed = await ours.chat.completions.stream({ ...call, stream: true }).finalChatCompletion();
  expect(streamed.choices[0]?.logprobs?.content).toEqual(straight.choices[0]?.logprobs?.content);
});

test("a tool is called, and its result answered", async () => {
  const tools = [
    {
      type: "function" as const,
      function: {
        name: "get_weather",
        parameters: { type: "object", properties: { city: { type: "string" } } },
      },
    },
  ];
  const ask = { role: "user" as const, content: "[call:get_weather] in Ghent" };
  const call = { model: "qwen3:8b", tools, seed: 1 };
  const first = await ours.chat.completions.create({ ...call, messages: [ask] });
  const [choice] = first.choices;
  expect(choice?.finish_reason).toBe("tool_calls");
  const [called] = choice?.message.tool_calls ?? [];
  expect(called).toMatchObject({ type: "function", function: { name: "get_weather" } });
  const answer = await ours.chat.completions.create({
    ...call,
    messages: [
      ask,
      { role: "assistant", tool_calls: choice?.message.tool_calls ?? [] },
      { role: "tool", tool_call_id: called?.id ?? "", content: "sunny" },
    ],
  });
  expect(answer.choices[0]?.message.content).toBeTruthy();
});

test("a JSON Schema is obeyed", async () => {
  const schema = { type: "object", properties: { age: { type: "integer" } }, required: ["age"] };
  const answer = await ours.chat.completions.create({
    model,
    messages: hello.messages,
    seed: 1,
    response_format: { type: "json_schema", json_schema: { name: "person", schema } },
  });
  expect(Number.isInteger(JSON.parse(answer.choices[0]?.message.content ?? "{}").age)).toBe(true);
});

test("the older completions, embeddings as the SDK asks for them (base64), and the models", async () => {
  const text = await ours.completions.create({ model, prompt: "Once", seed: 1, max_tokens: 10 });
  const straight = await direct.completions.create({ model, prompt: "Once", seed: 1, max_tokens: 10 });
  expect(text.choices[0]?.text).toBe(straight.choices[0]?.text);
  const input = { model: "nomic-embed-text", input: ["one", "two"] };
  const [mine, other] = await Promise.all([ours.embeddings.create(input), direct.embeddings.create(input)]);
  expect(mine.data).toEqual(other.data);
  const models = (await ours.models.list()).data.map(({ id }) => id);
  expect(models).toContain(model);
  expect((await ours.models.retrieve(model)).id).toBe(model);
});

test("the tier is the lane, and is echoed; the request's id is the job's", async () => {
  const { data, response } = await ours.chat.completions
    .create({ ...hello, service_tier: "flex" })
    .withResponse();
  expect(data.service_tier).toBe("flex");
  const id = response.headers.get("x-request-id") ?? "";
  expect((await ours.chat.completions.create(hello))._request_id).toMatch(/^j/);
  expect((await get(api, `/jobs/${id}`)).body).toMatchObject({ lane: "batch", state: "completed" });
});

test("an answer says how many jobs may be open, and how many more may be", async () => {
  const { response } = await ours.chat.completions.create(hello).withResponse();
  const limit = Number(response.headers.get("x-ratelimit-limit-requests"));
  expect(limit).toBe(10_000);
  expect(Number(response.headers.get("x-ratelimit-remaining-requests"))).toBe(limit - 1);
});

test("an aborted stream cancels its job and frees the slot", async () => {
  const stream = await ours.chat.completions.create({
    ...hello,
    max_completion_tokens: 20_000,
    stream: true,
  });
  let heard = 0;
  for await (const _chunk of stream) if (++heard === 3) break;
  stream.controller.abort();
  await waitFor(() => live.simulator.stats().active === 0, { what: "the slot is free" });
});

test("a stream that fails midway is an error, never a short answer", async () => {
  live.simulator.setFault({
    kind: "in_band_error",
    after_tokens: 5,
    times: 2,
    match_prompt: "break",
    message: "CUDA error: gone",
  });
  const read = async () => {
    const messages = [{ role: "user" as const, content: "break" }];
    for await (const _ of await ours.chat.completions.create({ model, messages, stream: true })) continue;
  };
  await expect(read()).rejects.toThrow(OpenAI.APIError);
}, 30_000);

describe("refusals are those the SDK has classes for", () => {
  const call = (fields: object) => ours.chat.completions.create({ ...hello, ...fields } as typeof hello);
  test("unknown model", () => expect(call({ model: "no-such" })).rejects.toThrow(OpenAI.NotFoundError));
  test.each([
    [{ n: 2 }, "n"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ messages: [] }, "messages"],
    [{ temperature: "hot" }, "temperature"],
    [
      {
        messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "http://x/y.png" } }] }],
      },
      "messages[0].content",
    ],
  ])("%j", async (fields, param) => {
    await expect(call(fields)).rejects.toMatchObject({ status: 400, param });
  });
});
