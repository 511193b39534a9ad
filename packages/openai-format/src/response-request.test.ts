import { describe, expect, test } from "vitest";
import { OpenaiRefusal } from "./openai-refusal.ts";
import { parseResponseBody } from "./response-body.ts";
import { inputItems } from "./response-items.ts";
import { asResponseJob, type ResponseJob } from "./response-job.ts";
import { requireAnswered, toResponseJob } from "./response-request.ts";

type Made = { messages: object[]; [field: string]: unknown };
const convert = (fields: object, followed?: ResponseJob) => {
  const body = parseResponseBody({ model: "m", input: "Hi", ...fields });
  const made = toResponseJob(body, followed);
  return { ...made, request: made.request as Made };
};
const record = (made: ReturnType<typeof convert>, result?: object) => {
  const job = { v: 1, type: "chat", tenant: "acme", lane: "standard", model: "m", stream: true, ...made };
  const state = result ? "completed" : "active";
  const response = asResponseJob({
    id: "j1",
    state,
    createdAt: new Date(0),
    finishedAt: undefined,
    starts: [],
    failure: undefined,
    job,
    result: result && { type: "chat", message: { role: "assistant", content: "", ...result } },
  } as unknown as Parameters<typeof asResponseJob>[0]);
  if (!response) throw new Error("not a response");
  return response;
};

const call = { type: "function_call", call_id: "c1", name: "add", arguments: '{"a":1}' };
const output = { type: "function_call_output", call_id: "c1", output: "3" };
const thought = {
  type: "reasoning",
  id: "rs_1",
  summary: [],
  content: [{ type: "reasoning_text", text: "hm" }],
};
const said = { type: "message", role: "assistant", content: [{ type: "output_text", text: "Yes" }] };

describe("items become messages", () => {
  const made = { tool_calls: [{ id: "c1", function: { name: "add", arguments: { a: 1 } } }] };
  const answered = { role: "tool", content: "3", tool_name: "add", tool_call_id: "c1" };
  test.each([
    ["a text", "Hi", [{ role: "user", content: "Hi" }]],
    [
      "the developer speaks as the system",
      [{ role: "developer", content: "Be brief" }],
      [{ role: "system", content: "Be brief" }],
    ],
    [
      "what the model thought, said and called is one message",
      [thought, said, call, output],
      [{ role: "assistant", content: "Yes", thinking: "hm", ...made }, answered],
    ],
    [
      "what it said after a call is another",
      [call, output, said],
      [{ role: "assistant", content: "", ...made }, answered, { role: "assistant", content: "Yes" }],
    ],
  ])("%s", (_, input, expected) => {
    expect(convert({ input }).request.messages).toEqual(expected);
  });

  test.each([
    [[output], "input[0].call_id"],
    [[{ type: "item_reference", id: "msg_1" }], "input[0].type"],
    [[{ ...call, arguments: "[]" }], "input[0].arguments"],
    [[{ ...thought, content: [] }], "input"],
    [[{ role: "user", content: [{ type: "input_image", image_url: "http://x" }] }], "input[0].content[0]"],
  ])("%j is refused at %s", (input, param) => {
    expect(() => convert({ input })).toThrow(OpenaiRefusal);
    expect(() => convert({ input })).toThrow(expect.objectContaining({ status: 400, extras: { param } }));
  });
});

test("messages become the items again they were", () => {
  const input = [{ role: "user", content: "What is 1 + 2?" }, thought, said, call, output];
  const items = inputItems(record(convert({ instructions: "Be brief", input })));
  expect(items).toMatchObject([
    { type: "message", role: "user", content: [{ type: "input_text", text: "What is 1 + 2?" }] },
    { type: "reasoning", content: thought.content },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "Yes" }] },
    call,
    output,
  ]);
});

describe("a response that follows another", () => {
  const calling = { tool_calls: [{ id: "ollama's", function: { name: "add", arguments: {} } }] };
  const first = record(convert({ instructions: "Be brief" }), { content: "Hello", ...calling });

  test("has its conversation without its instructions, and knows its calls by our ids", () => {
    const input = [{ type: "function_call_output", call_id: "call_j1_0", output: "3" }];
    const { request, response } = convert({ input }, first);
    expect(request.messages).toMatchObject([
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello", tool_calls: [{ id: "call_j1_0" }] },
      { role: "tool", tool_name: "add" },
    ]);
    expect(response).toEqual({ input: 1, previous: "j1" });
  });

  test("needs one with an answer", () => {
    expect(requireAnswered(first)).toBe(first);
    expect(() => requireAnswered(record(convert({})))).toThrow(
      expect.objectContaining({
        extras: expect.objectContaining({ code: "previous_response_not_completed" }),
      }),
    );
  });
});

const tools = [{ type: "function", name: "f", description: null, parameters: null, strict: true }];
test.each([
  [{}, "think", undefined],
  [{ reasoning: { effort: "none" } }, "think", false],
  [{ reasoning: { effort: "minimal" } }, "think", "low"],
  [{ reasoning: { effort: "xhigh" } }, "think", "max"],
  [{ tools }, "tools", [{ type: "function", function: { name: "f" } }]],
  [{ tools, tool_choice: "none" }, "tools", undefined],
  [{ text: { format: { type: "text" } } }, "format", undefined],
  [{ text: { format: { type: "json_object" } } }, "format", "json"],
  [{ text: { format: { type: "json_schema", name: "n", schema: { a: 1 } } } }, "format", { a: 1 }],
  [{ include: ["message.output_text.logprobs"] }, "logprobs", true],
  [{ max_output_tokens: 5 }, "options", { num_predict: 5, temperature: 1, top_p: 1 }],
])("%j → %s %j", (fields, name, expected) => {
  expect(convert(fields).request[name]).toEqual(expected);
});
