import Anthropic from "@anthropic-ai/sdk";
import { waitFor } from "@forebay/test-harness";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createLiveStack, ended, get, type LiveStack, model, submit } from "./live-fixture.ts";

let live: LiveStack;
let api: string;
let client: Anthropic;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), {
    numParallel: 2,
    tokensPerS: 400,
    models: ["llama3.2:3b", "qwen3:8b", "gemma3:4b"],
  });
  const [first] = await Promise.all([live.startApi(), live.startWorker({ WORKER_CONCURRENCY: "2" })]);
  api = first.url;
  client = new Anthropic({ baseURL: api, apiKey: "none", maxRetries: 0 });
  await ended(api, await submit(api));
});
afterAll(() => live[Symbol.asyncDispose]());

const messages = [{ role: "user" as const, content: "Say hello" }];
const hello = { model, max_tokens: 30, messages };
const lastRequest = () =>
  (live.simulator.requests().at(-1)?.body ?? {}) as { messages: Record<string, unknown>[]; think?: unknown };
const lastOptions = () => live.simulator.requests().at(-1)?.options;

test("a message has its text, reason and usage; the request's id is the job's", async () => {
  // Not in the SDK's types any more, and sent by many.
  const sampling = { temperature: 0.5, top_k: 20 };
  const message = await client.messages.create({
    ...hello,
    system: [{ type: "text", text: "Be brief." }],
    ...sampling,
    stop_sequences: ["never said"],
    metadata: { user_id: "ada" },
    service_tier: "standard_only",
  });
  expect(message).toMatchObject({
    type: "message",
    role: "assistant",
    model,
    stop_reason: "max_tokens",
    usage: { output_tokens: 30, service_tier: "standard" },
  });
  expect(lastRequest().messages).toMatchObject([
    { role: "system", content: "Be brief." },
    { role: "user", content: "Say hello" },
  ]);
  expect(lastOptions()).toMatchObject({ num_predict: 30, temperature: 0.5, top_k: 20, stop: ["never said"] });
  const job = await get(api, `/jobs/${message._request_id}`);
  expect(message.content).toMatchObject([{ type: "text", text: job.body.result?.message["content"] }]);
  const whole = await client.messages.create({ ...hello, max_tokens: 4_000, stop_sequences: ["."] });
  expect(whole.stop_reason).toBe("end_turn");
});

test("streamed, the SDK puts the same message together", async () => {
  const stream = client.messages.stream(hello);
  const types = new Set<string>();
  for await (const event of stream) types.add(event.type);
  expect([...types]).toEqual([
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
  ]);
  const [streamed, whole] = [await stream.finalMessage(), await client.messages.create(hello)];
  expect(streamed.content).toEqual(whole.content);
  expect(streamed.stop_reason).toBe(whole.stop_reason);
  expect(streamed.usage).toMatchObject({
    input_tokens: whole.usage.input_tokens,
    output_tokens: whole.usage.output_tokens,
  });
});

test("a model thinks when it is asked to, and not otherwise; thoughts go back with the next question", async () => {
  const call = { ...hello, model: "qwen3:8b", max_tokens: 2_000 };
  const quiet = await client.messages.create({ ...call, stop_sequences: ["."] });
  expect(quiet.content.map(({ type }) => type)).toEqual(["text"]);
  const thinking = { type: "enabled" as const, budget_tokens: 1_024 };
  const loud = await client.messages.stream({ ...call, stop_sequences: ["."], thinking }).finalMessage();
  expect(loud.content.map(({ type }) => type)).toEqual(["thinking", "text"]);
  const next = [...messages, { role: "assistant" as const, content: loud.content }, ...messages];
  await client.messages.create({ ...hello, model: "qwen3:8b", messages: next });
  const [thought] = loud.content;
  expect(lastRequest().messages[1]).toMatchObject({
    role: "assistant",
    thinking: thought?.type === "thinking" && thought.thinking,
  });
});

const tools = [
  {
    name: "get_weather",
    description: "Tells the weather",
    input_schema: { type: "object" as const, properties: { city: { type: "string" } } },
  },
];
const weather = {
  model: "qwen3:8b",
  max_tokens: 500,
  tools,
  messages: [{ role: "user" as const, content: "[call:get_weather] in Ghent" }],
};

test("a tool is used, and its result answered, streamed or not", async () => {
  const first = await client.messages.create(weather);
  expect(first.stop_reason).toBe("tool_use");
  const streamed = await client.messages.stream(weather).finalMessage();
  const used = first.content.find(({ type }) => type === "tool_use");
  const alike = streamed.content.find(({ type }) => type === "tool_use");
  if (used?.type !== "tool_use" || alike?.type !== "tool_use") throw new Error("no tool was used");
  expect([alike.name, alike.input]).toEqual(["get_weather", used.input]);
  const result = { type: "tool_result" as const, tool_use_id: used.id, content: "sunny", is_error: true };
  const answer = await client.messages.create({
    ...weather,
    messages: [
      ...weather.messages,
      { role: "assistant", content: first.content },
      { role: "user", content: [result, { type: "text", text: "And tomorrow?" }] },
    ],
  });
  expect(answer.content).not.toEqual([]);
  expect(lastRequest().messages.slice(1)).toMatchObject([
    { role: "assistant", tool_calls: [{ id: used.id }] },
    { role: "tool", tool_name: "get_weather", content: "Error: sunny" },
    { role: "user", content: "And tomorrow?" },
  ]);
});

test("pictures are seen, and a JSON Schema is obeyed", async () => {
  const data = Buffer.from("\x89PNG").toString("base64");
  const content = [
    { type: "text" as const, text: "What?" },
    { type: "image" as const, source: { type: "base64" as const, media_type: "image/png" as const, data } },
  ];
  await client.messages.create({ ...hello, model: "gemma3:4b", messages: [{ role: "user", content }] });
  expect(lastRequest().messages[0]).toMatchObject({ content: "What?", images: [data] });
  const schema = { type: "object", properties: { age: { type: "integer" } }, required: ["age"] };
  const made = await client.messages.create({
    ...hello,
    max_tokens: 200,
    output_config: { format: { type: "json_schema", schema } },
  });
  const [block] = made.content;
  expect(JSON.parse(block?.type === "text" ? block.text : "")).toHaveProperty("age");
});

test("an aborted stream cancels its job and frees the slot", async () => {
  const stream = client.messages.stream({ ...hello, max_tokens: 20_000 });
  let heard = 0;
  for await (const _event of stream) if (++heard === 5) break;
  stream.abort();
  await waitFor(() => live.simulator.stats().active === 0, { what: "the slot is free" });
});

test("a stream that fails midway is an error, never a short message", async () => {
  live.simulator.setFault({ kind: "no_done", after_tokens: 5, times: 2, match_prompt: "break" });
  const call = { ...hello, messages: [{ role: "user" as const, content: "break" }] };
  await expect(client.messages.stream(call).finalMessage()).rejects.toThrow(Anthropic.APIError);
});

describe("refusals are those the SDK has classes for", () => {
  const call = (fields: object) => client.messages.create({ ...hello, ...fields } as typeof hello);
  test("an unknown model, with the request's id", async () => {
    await expect(call({ model: "no-such" })).rejects.toThrow(Anthropic.NotFoundError);
    await expect(call({ model: "no-such" })).rejects.toMatchObject({
      status: 404,
      type: "not_found_error",
      requestID: expect.stringMatching(/^req_/),
    });
  });

  test("counting tokens, which nobody can here", async () => {
    const counted = client.messages.countTokens({ model, messages });
    await expect(counted).rejects.toThrow(Anthropic.NotFoundError);
  });

  const user = (block: object) => ({ messages: [{ role: "user", content: [block] }] });
  test.each([
    [{ max_tokens: 0 }, "max_tokens"],
    [{ messages: [] }, "messages"],
    [{ messages: [{ role: "robot", content: "x" }] }, "messages[0].role"],
    [user({ type: "document", source: {} }), "messages[0].content[0].type"],
    [
      user({ type: "image", source: { type: "url", url: "http://x/y" } }),
      "messages[0].content[0].source.type",
    ],
    [user({ type: "tool_result", tool_use_id: "none" }), "messages[0].content[0].tool_use_id"],
    [{ tools: [{ type: "web_search_20250305", name: "web_search" }] }, "tools[0].type"],
    [{ tools, tool_choice: { type: "any" } }, "tool_choice.type"],
    [
      { tools, tool_choice: { type: "auto", disable_parallel_tool_use: true } },
      "tool_choice.disable_parallel",
    ],
    [{ temperature: 3 }, "temperature"],
    [{ mcp_servers: [{}] }, "mcp_servers"],
    [{ service_tier: "fast" }, "service_tier"],
  ])("%j", async (fields, named) => {
    await expect(call(fields)).rejects.toMatchObject({
      status: 400,
      type: "invalid_request_error",
      message: expect.stringContaining(named),
    });
  });

  test.each([
    ["GET", "/v1/messages", 405],
    ["POST", "/v1/messages/batches", 404],
  ])("%s %s is %d in Anthropic's shape", async (method, path, status) => {
    const answer = await fetch(api + path, { method });
    expect([answer.status, await answer.json()]).toMatchObject([status, { type: "error", error: {} }]);
    expect(answer.headers.get("request-id")).toMatch(/^req_/);
  });

  test("a body that is not JSON", async () => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${api}/v1/messages`, { method: "POST", headers, body: "{" });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { type: "error", error: { type: "invalid_request_error" } },
    ]);
  });
});
