import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createLiveStack, ended, type LiveStack, model, submit } from "./live-fixture.ts";

let live: LiveStack;
let api: string;
beforeAll(async () => {
  const models = [model, "qwen3:8b", "nomic-embed-text"];
  live = await createLiveStack(inject("redisUrl"), { models, maxLoaded: 3, tokensPerS: 2_000 });
  const [first] = await Promise.all([live.startApi(), live.startWorker()]);
  api = first.url;
  await ended(api, await submit(api));
});
afterAll(() => live[Symbol.asyncDispose]());

type Json = Record<string, unknown>;
type Answered = { status: number; type: string; pieces: Json[] };

/** The answer as its pieces: one, or the lines or events of a stream. */
async function ask(origin: string, path: string, body: Json | undefined): Promise<Answered> {
  const answer = await fetch(origin + path, {
    method: body ? "POST" : "GET",
    ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const type = answer.headers.get("content-type")?.replace(/;.*/, "") ?? "";
  const lines =
    type === "text/event-stream"
      ? text.match(/^data: .*$/gm)
      : type === "application/x-ndjson"
        ? text.match(/^.+$/gm)
        : [text];
  const pieces = (lines ?? [])
    .map((line) => line.replace(/^data: /, ""))
    .map((line) => JSON.parse(line === "[DONE]" ? '{"done":"[DONE]"}' : line) as Json);
  return { status: answer.status, type, pieces };
}

/** Fields that OpenAI's answers have and Ollama's do not. */
const ours = new Set(["service_tier", "logprobs"]);
/** Ollama's own bookkeeping for its next call, deprecated there. */
const theirs = new Set(["context"]);
/** Values that differ from call to call. */
const varying = new Set([
  "id",
  "created",
  "created_at",
  "total_duration",
  "load_duration",
  "prompt_eval_duration",
  "eval_duration",
  "modified_at",
  "expires_at",
]);

/** A value with everything that differs from call to call replaced by its type. */
function shapeOf(value: unknown, name = ""): unknown {
  if (varying.has(name)) return typeof value;
  if (Array.isArray(value)) return value.map((each) => shapeOf(each));
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([key]) => !ours.has(key) && !theirs.has(key));
  return Object.fromEntries(fields.map(([key, each]) => [key, shapeOf(each, key)]));
}

/** All pieces of a stream that say something are one: how an answer is cut up is not promised. */
function flow({ pieces }: Answered): { kinds: string[]; text: string; last: unknown } {
  let text = "";
  const kinds: string[] = [];
  for (const piece of pieces) {
    const [choice] = (piece["choices"] as Json[] | undefined) ?? [];
    const said = (choice?.["delta"] ?? piece["message"] ?? choice ?? piece) as Json;
    text += String(said["content"] ?? said["text"] ?? piece["response"] ?? "");
    const fields = Object.keys(said).filter(
      (key) => key !== "role" && said[key] !== "" && !ours.has(key) && !theirs.has(key),
    );
    const kind = `${String(piece["object"] ?? "line")}: ${fields.toSorted().join(", ")}; ${String(choice?.["finish_reason"] ?? piece["done_reason"] ?? "")}`;
    if (kinds.at(-1) !== kind) kinds.push(kind);
  }
  return { kinds, text, last: shapeOf(pieces.at(-1)) };
}

const messages = [{ role: "user", content: "Tell me about rivers" }];
const schema = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"],
};
const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      parameters: { type: "object", properties: { city: { type: "string" } } },
    },
  },
];
const toolCall = { messages: [{ role: "user", content: "[call:get_weather] Ghent" }], tools };
const options = { seed: 1, num_predict: 12 };
const seeded = { model, seed: 1, max_tokens: 12 };
const picture =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const whole: [string, string, Json?][] = [
  ["a chat as OpenAI", "/v1/chat/completions", { ...seeded, messages }],
  ["a chat to its natural end", "/v1/chat/completions", { model, seed: 3, messages }],
  [
    "a chat with a schema",
    "/v1/chat/completions",
    {
      model,
      seed: 1,
      messages,
      response_format: { type: "json_schema", json_schema: { name: "p", schema } },
    },
  ],
  ["a text as OpenAI", "/v1/completions", { ...seeded, prompt: "Once" }],
  ["vectors as OpenAI", "/v1/embeddings", { model: "nomic-embed-text", input: ["a", "b"] }],
  [
    "vectors as base64",
    "/v1/embeddings",
    { model: "nomic-embed-text", input: "a", encoding_format: "base64" },
  ],
  ["a chat as Ollama", "/api/chat", { model, messages, options, stream: false }],
  [
    "a chat with a schema as Ollama",
    "/api/chat",
    { model, messages, format: schema, stream: false, options: { seed: 1 } },
  ],
  ["a text as Ollama", "/api/generate", { model, prompt: "Once", options, stream: false }],
  [
    "a thought",
    "/api/chat",
    { model: "qwen3:8b", messages, think: true, stream: false, options: { seed: 1 } },
  ],
  ["vectors as Ollama", "/api/embed", { model: "nomic-embed-text", input: ["a", "b"] }],
  ["a vector, the older way", "/api/embeddings", { model: "nomic-embed-text", prompt: "a" }],
  ["loading a model", "/api/generate", { model }],
];
test.each(whole)("%s: the same text and fields as from Ollama itself", async (_, path, body) => {
  const [direct, through] = [await ask(live.simulator.url, path, body), await ask(api, path, body)];
  expect([through.status, through.type]).toEqual([direct.status, direct.type]);
  expect(direct.status).toBe(200);
  expect(shapeOf(through.pieces)).toEqual(shapeOf(direct.pieces));
});

test.each<[string, string, Json]>([
  ["a tool call as OpenAI", "/v1/chat/completions", { model, ...toolCall }],
  ["a tool call as Ollama", "/api/chat", { model, ...toolCall, stream: false }],
])("%s: the same call", async (_, path, body) => {
  const [direct, through] = [await ask(live.simulator.url, path, body), await ask(api, path, body)];
  expect(shapeOf(through.pieces)).toEqual(shapeOf(direct.pieces));
});

test.each<[string, string, Json]>([
  ["a chat as OpenAI", "/v1/chat/completions", { ...seeded, messages }],
  [
    "with its usage",
    "/v1/chat/completions",
    { ...seeded, messages, stream_options: { include_usage: true } },
  ],
  ["a tool call as OpenAI", "/v1/chat/completions", { model, ...toolCall }],
  ["a text as OpenAI", "/v1/completions", { ...seeded, prompt: "Once" }],
  ["a chat as Ollama", "/api/chat", { model, messages, options }],
  ["a thought as Ollama", "/api/chat", { model: "qwen3:8b", messages, think: true, options: { seed: 1 } }],
  ["a tool call as Ollama", "/api/chat", { model, ...toolCall }],
  ["a text as Ollama", "/api/generate", { model, prompt: "Once", options }],
])(
  "%s, streamed: the same text, the same kinds of pieces in their order, the same last one",
  async (_, path, body) => {
    const streamed = { ...body, stream: true };
    const [direct, through] = [await ask(live.simulator.url, path, streamed), await ask(api, path, streamed)];
    expect(through.type).toBe(direct.type);
    expect(flow(through)).toEqual(flow(direct));
  },
);

test.each<[string, string, Json]>([
  ["an unknown model, as Ollama", "/api/chat", { model: "none-such", messages }],
  ["no model", "/api/chat", { messages }],
  ["an unknown model, as OpenAI", "/v1/chat/completions", { model: "none-such", messages }],
  [
    "a model that cannot see",
    "/api/chat",
    {
      model: "nomic-embed-text",
      messages: [{ role: "user", content: "a", images: [picture] }],
      stream: false,
    },
  ],
  ["a model that cannot chat", "/api/chat", { model: "nomic-embed-text", messages, stream: false }],
])("%s: the same status, and an error of the same shape", async (_, path, body) => {
  const [direct, through] = [await ask(live.simulator.url, path, body), await ask(api, path, body)];
  expect(through.status).toBe(direct.status);
  const keysOf = ({ pieces: [piece = {}] }: Answered) =>
    [Object.keys(piece), Object.keys(Object(piece["error"]) as Json)].map((keys) =>
      typeof piece["error"] === "string" ? [] : keys.toSorted(),
    );
  expect(keysOf(through)).toEqual(keysOf(direct));
});
