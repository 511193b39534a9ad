import { expect, test } from "vitest";
import { isLoadRequest, parseOllamaBody } from "./ollama-body.ts";

const message = { role: "user", content: "Hi" };

test.each([
  ["generate", { model: "m" }, { model: "m", prompt: "", stream: true }],
  [
    "generate",
    { model: "m", prompt: "Hi", stream: false, context: [1], shift: true },
    {
      model: "m",
      prompt: "Hi",
      stream: false,
    },
  ],
  [
    "generate",
    { model: "m", prompt: "Hi", system: null, options: null },
    { model: "m", prompt: "Hi", stream: true },
  ],
  [
    "generate",
    { model: "m", prompt: "Hi", options: { seed: 1, no_such: 2, top_k: null } },
    {
      model: "m",
      prompt: "Hi",
      stream: true,
      options: { seed: 1 },
    },
  ],
  [
    "generate",
    { model: "m", prompt: "Hi", think: "max", keep_alive: "5m" },
    {
      model: "m",
      prompt: "Hi",
      stream: true,
      think: "max",
      keep_alive: "5m",
    },
  ],
  ["generate", { model: "m", format: "" }, { model: "m", prompt: "", stream: true }],
  ["chat", { model: "m" }, { model: "m", messages: [], stream: true }],
  [
    "chat",
    { model: "m", messages: [{ ...message, tool_calls: null, extra: 1 }] },
    {
      model: "m",
      messages: [message],
      stream: true,
    },
  ],
  ["embed", { model: "m", input: ["a"] }, { model: "m", input: ["a"], stream: false }],
  ["embeddings", { model: "m", prompt: "a" }, { model: "m", prompt: "a", stream: true }],
] as const)("%s takes %j as %j", (kind, body, expected) => {
  expect(parseOllamaBody(kind, body)).toEqual(expected);
});

test.each([
  ["generate", {}, "model is required"],
  ["generate", { model: null }, "model is required"],
  ["generate", { model: "m", images: ["data:image/png;base64,aGk="] }, "images[0] must be base64"],
  ["generate", { model: "m", think: "very" }, "think"],
  ["generate", { model: "m", format: "xml" }, 'format must be "json" or a JSON Schema object'],
  [
    "chat",
    { model: "m", format: { properties: { a: { type: "text" } } } },
    "invalid format: properties.a.type must be one of",
  ],
  ["generate", { model: "m", options: { num_ctx: "big" } }, "options.num_ctx"],
  ["generate", { model: "m", options: [] }, "options"],
  ["generate", { model: "m", top_logprobs: 21 }, "top_logprobs"],
  ["generate", { model: "m", keep_alive: "5" }, "keep_alive"],
  ["chat", { model: "m", messages: [{ role: "nobody" }] }, "messages[0].role"],
  ["chat", { model: "m", messages: "Hi" }, "messages"],
  ["embed", { model: "m", input: [] }, "input"],
  ["embed", { model: "m", input: "a", stream: true }, "stream"],
  ["chat", "no object", ""],
] as const)("%s refuses %j: %s", (kind, body, words) => {
  expect(() => parseOllamaBody(kind, body)).toThrow(
    expect.objectContaining({ status: 400, message: expect.stringContaining(words) }),
  );
});

test.each([
  ["generate", { prompt: "" }, true],
  ["generate", { prompt: "Hi" }, false],
  ["chat", { messages: [] }, true],
  ["chat", { messages: [message] }, false],
] as const)("%s with %j only loads the model: %s", (type, body, expected) => {
  expect(isLoadRequest(type, { ...body } as { prompt?: string; messages?: unknown[] })).toBe(expected);
});
