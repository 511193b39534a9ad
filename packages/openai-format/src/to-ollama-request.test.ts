import { describe, expect, test } from "vitest";
import { chatBodySchema } from "./openai-body.ts";
import { OpenaiRefusal } from "./openai-refusal.ts";
import { toChatRequest, toOptions } from "./to-ollama-request.ts";

const ask = { role: "user", content: "Hi" };
const convert = (fields: object): Record<string, unknown> =>
  toChatRequest(chatBodySchema.parse({ model: "m", messages: [ask], ...fields })) as Record<string, unknown>;

describe("messages", () => {
  const tool_calls = [{ id: "c1", type: "function", function: { name: "add", arguments: '{"a":1}' } }];
  test.each([
    [
      "the developer speaks as the system",
      [{ role: "developer", content: "Be brief" }],
      [{ role: "system", content: "Be brief" }],
    ],
    [
      "parts of text become one text, a line each",
      [
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
      ],
      [{ role: "user", content: "a\nb" }],
    ],
    [
      "a data URL becomes an image without its prefix",
      [
        {
          role: "user",
          content: [
            { type: "text", text: "What?" },
            { type: "image_url", image_url: { url: "data:image/png;base64,aGk=", detail: "low" } },
          ],
        },
      ],
      [{ role: "user", content: "What?", images: ["aGk="] }],
    ],
    [
      "a call's arguments become an object, and its result names the tool instead of the call",
      [
        ask,
        { role: "assistant", content: null, tool_calls },
        { role: "tool", tool_call_id: "c1", content: "3" },
      ],
      [
        ask,
        {
          role: "assistant",
          content: "",
          tool_calls: [{ id: "c1", function: { name: "add", arguments: { a: 1 } } }],
        },
        { role: "tool", content: "3", tool_name: "add" },
      ],
    ],
    [
      "the result of a call nobody made names no tool",
      [{ role: "tool", tool_call_id: "c9", content: "3" }],
      [{ role: "tool", content: "3" }],
    ],
    [
      "no arguments are none",
      [{ role: "assistant", tool_calls: [{ id: "c", function: { name: "now", arguments: "" } }] }],
      [
        {
          role: "assistant",
          content: "",
          tool_calls: [{ id: "c", function: { name: "now", arguments: {} } }],
        },
      ],
    ],
  ])("%s", (_, messages, expected) => {
    expect(convert({ messages })["messages"]).toEqual(expected);
  });

  test.each([
    [
      "an address to be fetched",
      [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://x.test/y.png" } }] }],
      "messages[0].content",
    ],
    [
      "an image that is not base64",
      [ask, { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png,hi" } }] }],
      "messages[1].content",
    ],
    [
      "arguments that are not JSON",
      [{ role: "assistant", tool_calls: [{ id: "c", function: { name: "f", arguments: "{" } }] }],
      "messages[0].tool_calls[0]",
    ],
  ])("%s is refused, with where it is", (_, messages, param) => {
    expect(() => convert({ messages })).toThrow(OpenaiRefusal);
    expect(() => convert({ messages })).toThrow(expect.objectContaining({ status: 400, extras: { param } }));
  });
});

const schema = { type: "object", properties: { a: { type: "integer" } } };
test.each([
  [{ response_format: { type: "text" } }, "format", undefined],
  [{ response_format: { type: "json_object" } }, "format", "json"],
  [
    { response_format: { type: "json_schema", json_schema: { name: "x", strict: true, schema } } },
    "format",
    schema,
  ],
  [{}, "think", undefined],
  [{ reasoning_effort: "none" }, "think", false],
  [{ reasoning_effort: "minimal" }, "think", "low"],
  [{ reasoning_effort: "high" }, "think", "high"],
  [{ logprobs: true, top_logprobs: 3 }, "top_logprobs", 3],
  [{ logprobs: null }, "logprobs", undefined],
  [
    { tools: [{ type: "function", function: { name: "f", description: null } }] },
    "tools",
    [{ type: "function", function: { name: "f" } }],
  ],
  [{ tools: [{ type: "function", function: { name: "f" } }], tool_choice: "none" }, "tools", undefined],
])("%j → %s %j", (fields, name, expected) => {
  expect(convert(fields)[name]).toEqual(expected);
});

test.each([
  [{}, { temperature: 1, top_p: 1 }],
  [
    { temperature: 0, top_p: 0.5, seed: 4 },
    { temperature: 0, top_p: 0.5, seed: 4 },
  ],
  [{ stop: "END" }, { temperature: 1, top_p: 1, stop: "END" }],
  [
    { presence_penalty: null, frequency_penalty: 1 },
    { temperature: 1, top_p: 1, frequency_penalty: 1 },
  ],
])("options of %j are %j", (fields, expected) => {
  expect(toOptions({ model: "m", ...fields }, undefined)).toEqual(expected);
});

test("the newer limit of tokens wins over the older one", () => {
  expect(convert({ max_tokens: 5, max_completion_tokens: 9 })["options"]).toMatchObject({ num_predict: 9 });
  expect(convert({ max_tokens: 5 })["options"]).toMatchObject({ num_predict: 5 });
});

test("a schema no answer can be checked against is refused, with its place as the param", () => {
  const response_format = {
    type: "json_schema",
    json_schema: { name: "x", schema: { properties: { a: { pattern: "(" } } } },
  };
  const param = "response_format.json_schema.schema.properties.a.pattern";
  expect(() => convert({ response_format })).toThrow(
    expect.objectContaining({ status: 400, extras: { param } }),
  );
});
