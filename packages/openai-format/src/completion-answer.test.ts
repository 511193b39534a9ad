import { expect, test } from "vitest";
import { type AnsweredJob, createChatShape, createTextShape } from "./completion-answer.ts";

const head = { id: "x-1", created: 1_700_000_000, model: "m", serviceTier: "default" };
const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, gpu_ms: 9 };
const counts = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const jobOf = (result: object): AnsweredJob =>
  ({ result: { usage, done_reason: "stop", ...result } }) as AnsweredJob;
const chatJob = (message: object, more: object = {}): AnsweredJob =>
  jobOf({ type: "chat", message: { role: "assistant", content: "", ...message }, ...more });
const call = { function: { name: "add", arguments: { a: 1 } } };
const delta = (text: string, thinking = "", toolCalls: unknown[] = []) => ({ text, thinking, toolCalls });
const choiceOf = (answer: object): unknown => (answer as { choices: unknown[] }).choices[0];

test.each([
  ["text", chatJob({ content: "Hi" }), { content: "Hi" }, "stop"],
  ["a text that was cut", chatJob({ content: "Hi" }, { done_reason: "length" }), { content: "Hi" }, "length"],
  ["thoughts", chatJob({ content: "Hi", thinking: "hm" }), { content: "Hi", reasoning: "hm" }, "stop"],
  [
    "a call of a tool",
    chatJob({ tool_calls: [{ id: "c1", ...call }] }),
    {
      content: "",
      tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "add", arguments: '{"a":1}' } }],
    },
    "tool_calls",
  ],
])("a whole answer with %s", (_, job, message, finish_reason) => {
  expect(createChatShape(head).whole(job)).toEqual({
    id: "x-1",
    object: "chat.completion",
    created: 1_700_000_000,
    model: "m",
    system_fingerprint: "fp_ollama",
    service_tier: "default",
    choices: [{ index: 0, message: { role: "assistant", ...message }, logprobs: null, finish_reason }],
    usage: counts,
  });
});

test("the role comes with the first chunk alone, and calls are numbered through the stream", () => {
  const shape = createChatShape(head);
  const deltas = [
    delta("", "hm"),
    delta("Hi"),
    delta("", "", [call]),
    delta("", "", [{ id: "mine", ...call }]),
  ].map((each) => (choiceOf(shape.delta(each)) as { delta: object }).delta);
  const called = { type: "function", function: { name: "add", arguments: '{"a":1}' } };
  expect(deltas).toEqual([
    { role: "assistant", reasoning: "hm" },
    { content: "Hi" },
    { tool_calls: [{ index: 0, id: "call_0", ...called }] },
    { tool_calls: [{ index: 1, id: "mine", ...called }] },
  ]);
});

test("the last chunk has the reason, and the probabilities of the whole answer", () => {
  const logprobs = [{ token: "Hi", logprob: -0.1, bytes: [72, 105] }];
  const choice = choiceOf(createChatShape(head).finish(chatJob({ content: "Hi" }, { logprobs })));
  expect(choice).toEqual({
    index: 0,
    delta: { role: "assistant" },
    logprobs: { content: [{ token: "Hi", logprob: -0.1, bytes: [72, 105], top_logprobs: [] }] },
    finish_reason: "stop",
  });
});

test.each([
  ["chat", createChatShape(head)],
  ["text", createTextShape(head)],
])("the usage of a %s comes in a chunk without a choice", (_, shape) => {
  expect(shape.usage(chatJob({}))).toMatchObject({ choices: [], usage: counts });
});

test("a text's chunks and whole have the same shape", () => {
  const shape = createTextShape(head);
  const choice = (text: string, finish_reason: string | null) => ({
    text,
    index: 0,
    logprobs: null,
    finish_reason,
  });
  const job = jobOf({ type: "generate", response: "Hi" });
  expect(choiceOf(shape.whole(job))).toEqual(choice("Hi", "stop"));
  expect(choiceOf(shape.delta(delta("Hi")))).toEqual(choice("Hi", null));
  expect(choiceOf(shape.finish(job))).toEqual(choice("", "stop"));
});
