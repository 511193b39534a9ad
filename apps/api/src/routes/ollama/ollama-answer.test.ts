import type { JobRecord } from "@forebay/queue-bullmq";
import { expect, test } from "vitest";
import { deltaLine, embedAnswer, finalLine, wholeAnswer } from "./ollama-answer.ts";

const createdAt = new Date("2026-01-01T00:00:00Z");
const finishedAt = new Date("2026-01-01T00:00:10Z");
const counts = {
  done_reason: "stop",
  total_duration_ms: 4_000,
  load_duration_ms: 1_000,
  prompt_eval_count: 3,
  prompt_eval_duration_ms: 500,
  eval_count: 4,
  eval_duration_ms: 2_500,
};
const jobOf = (result: object): JobRecord =>
  ({ createdAt, finishedAt, result: { ...counts, ...result } }) as JobRecord;
const done = {
  model: "m",
  created_at: finishedAt.toISOString(),
  done: true,
  done_reason: "stop",
  // 10 s from request to end, of which Ollama had 4: the 6 in the queue count as loading, as its own do.
  total_duration: 10e9,
  load_duration: 7e9,
  prompt_eval_count: 3,
  prompt_eval_duration: 0.5e9,
  eval_count: 4,
  eval_duration: 2.5e9,
};
const delta = (text: string, thinking = "", toolCalls: unknown[] = []) => ({ text, thinking, toolCalls });
const call = { function: { name: "add", arguments: {} } };

test.each([
  ["generate", delta("Hi"), { response: "Hi" }],
  ["generate", delta("", "hm"), { response: "", thinking: "hm" }],
  ["chat", delta("Hi"), { message: { role: "assistant", content: "Hi" } }],
  ["chat", delta("", "hm"), { message: { role: "assistant", content: "", thinking: "hm" } }],
  ["chat", delta("", "", [call]), { message: { role: "assistant", content: "", tool_calls: [call] } }],
] as const)("a line of %s for %j", (surface, piece, said) => {
  expect(deltaLine(surface, "m", piece)).toEqual({
    model: "m",
    created_at: expect.any(String),
    done: false,
    ...said,
  });
});

test.each([
  [{ type: "generate", response: "Hi" }, { response: "Hi" }],
  [
    { type: "generate", response: "Hi", thinking: "hm" },
    { response: "Hi", thinking: "hm" },
  ],
  [
    { type: "chat", message: { role: "assistant", content: "Hi" } },
    { message: { role: "assistant", content: "Hi" } },
  ],
])("the whole of %j", (result, said) => {
  expect(wholeAnswer("m", jobOf(result))).toEqual({ ...done, ...said });
});

test("a stream's last line says nothing more, and has the counts and the probabilities", () => {
  const logprobs = [{ token: "Hi", logprob: -1 }];
  const job = jobOf({ type: "generate", response: "Hi", logprobs });
  expect(finalLine("generate", "m", job)).toEqual({ ...done, response: "", logprobs });
});

test("what is zero is left out, as by Ollama", () => {
  const job = jobOf({ type: "generate", response: "", eval_count: 0, eval_duration_ms: 0 });
  expect(Object.keys(finalLine("generate", "m", job))).not.toContain("eval_count");
});

test("vectors come with the durations and the prompt's tokens", () => {
  const job = jobOf({ type: "embed", embeddings: [[1, 2]] });
  const { total_duration, load_duration, prompt_eval_count } = done;
  const embeddings = [[1, 2]];
  expect(embedAnswer("m", job)).toEqual({
    model: "m",
    embeddings,
    total_duration,
    load_duration,
    prompt_eval_count,
  });
});
