import { type InferenceJob, inferenceJobSchema, inferenceResultSchema } from "@forebay/queue-contracts";
import { describe, expect, test } from "vitest";
import { createAnswerAssembler, embedResult } from "./assemble-answer.ts";
import type { CallFailedError, CallFailure } from "./call-failure.ts";

const job = (type: "generate" | "chat" | "embed"): InferenceJob =>
  inferenceJobSchema.parse({
    v: 1,
    type,
    tenant: "acme",
    model: "llama3.2:3b",
    request:
      type === "generate"
        ? { prompt: "Hello" }
        : type === "chat"
          ? { messages: [{ role: "user", content: "Hello" }] }
          : { input: "Hello" },
  });

const served = { backend: "gpu-1", gpuMs: 1_234 };
const done = {
  model: "llama3.2:3b",
  done: true,
  done_reason: "stop",
  total_duration: 5_000_000_000,
  load_duration: 1_500_000,
  prompt_eval_count: 26,
  prompt_eval_duration: 130_000_000,
  eval_count: 2,
  eval_duration: 40_123_456,
};
const word = (response: string) => ({ model: "llama3.2:3b", response, done: false });
const say = (message: Record<string, unknown>) => ({
  message: { role: "assistant", ...message },
  done: false,
});

function assemble(type: "generate" | "chat", ...lines: (object | string)[]) {
  const assembler = createAnswerAssembler(job(type));
  for (const line of lines) assembler.add(typeof line === "string" ? line : JSON.stringify(line));
  const result = assembler.finish(served);
  // What is recorded is parsed again by whoever reads it.
  expect(inferenceResultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
  return result;
}

function failureOf(type: "generate" | "chat", ...lines: (object | string)[]): CallFailure {
  try {
    assemble(type, ...lines);
  } catch (error) {
    return (error as CallFailedError).failure;
  }
  throw new Error("the answer was accepted");
}

test("the words of a generation, in their order, with what it cost", () => {
  const result = assemble("generate", word("Hel"), word("lo"), { ...done, response: "!" });
  expect(result).toEqual({
    v: 1,
    type: "generate",
    model: "llama3.2:3b",
    backend: "gpu-1",
    response: "Hello!",
    done_reason: "stop",
    usage: { prompt_tokens: 26, completion_tokens: 2, total_tokens: 28, gpu_ms: 1_234 },
    total_duration_ms: 5_000,
    load_duration_ms: 1.5,
    prompt_eval_count: 26,
    prompt_eval_duration_ms: 130,
    eval_count: 2,
    eval_duration_ms: 40.123,
  });
});

test("the words of a chat, with its thoughts apart", () => {
  const result = assemble(
    "chat",
    say({ content: "", thinking: "Hm" }),
    say({ content: "", thinking: "m." }),
    say({ content: "Hel" }),
    say({ content: "lo" }),
    { ...done, message: { role: "assistant", content: "" } },
  );
  expect(result).toMatchObject({
    type: "chat",
    message: { role: "assistant", content: "Hello", thinking: "Hmm." },
  });
});

test("thoughts of a generation", () => {
  const result = assemble("generate", { response: "", thinking: "Hm" }, word("Yes"), done);
  expect(result).toMatchObject({ response: "Yes", thinking: "Hm" });
});

test("tool calls of all lines, and no text, are an answer", () => {
  const calls = [
    { id: "1", function: { name: "a", arguments: {} } },
    { function: { name: "b", arguments: { x: [1, null] } } },
  ];
  const result = assemble(
    "chat",
    say({ content: "", tool_calls: [calls[0]] }),
    say({ content: "", tool_calls: [calls[1]] }),
    done,
  );
  expect(result).toMatchObject({ message: { content: "", tool_calls: calls } });
});

test("log probabilities of all lines", () => {
  const logprob = (token: string) => ({ token, logprob: -0.1 });
  const result = assemble(
    "generate",
    { ...word("a"), logprobs: [logprob("a")] },
    { ...word("b"), logprobs: [logprob("b")] },
    done,
  );
  expect(result).toMatchObject({ logprobs: [logprob("a"), logprob("b")] });
});

test("what is not there is left out", () => {
  const generation = assemble("generate", word("a"), done);
  expect(Object.keys(generation)).not.toContain("thinking");
  expect(Object.keys(generation)).not.toContain("logprobs");
  const chat = assemble("chat", say({ content: "a" }), done);
  expect(chat).toHaveProperty("message", { role: "assistant", content: "a" });
});

test("counts that Ollama leaves out are zero", () => {
  const result = assemble("generate", word("a"), { done: true });
  expect(result).toMatchObject({
    model: "llama3.2:3b",
    done_reason: "stop",
    eval_count: 0,
    prompt_eval_count: 0,
    total_duration_ms: 0,
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, gpu_ms: 1_234 },
  });
});

test("an answer cut by num_predict is an answer", () => {
  const result = assemble("generate", word("a"), { ...done, done_reason: "length" });
  expect(result).toMatchObject({ response: "a", done_reason: "length" });
});

test("the whole answer in one line", () => {
  expect(assemble("generate", { ...done, response: "Hello" })).toMatchObject({ response: "Hello" });
});

test("fields nobody knows are no fault, and the old context is not kept", () => {
  const result = assemble("generate", { ...word("a"), new_field: 1 }, { ...done, context: [1, 2, 3] });
  expect(Object.keys(result)).not.toContain("context");
});

test("each line says what it added, and tokens are counted as they come", () => {
  const assembler = createAnswerAssembler(job("generate"));
  expect(assembler.add(JSON.stringify(word("a")))).toEqual({ text: "a", thinking: "", toolCalls: [] });
  expect([assembler.tokens, assembler.done]).toEqual([1, false]);
  assembler.add(JSON.stringify({ ...done, response: "b" }));
  expect([assembler.tokens, assembler.done]).toEqual([1, true]);
});

describe("an error line", () => {
  test("is a failure, whatever came before", () => {
    const failure = failureOf("chat", say({ content: "Hel" }), { error: "gone" });
    expect(failure).toEqual({ kind: "in_band", message: "gone" });
  });
  test("may be an object, from a proxy in between", () => {
    const failure = failureOf("chat", { error: { message: "gone", type: "api_error" } });
    expect(failure).toMatchObject({ kind: "in_band" });
    expect(failure).toHaveProperty("message", expect.stringContaining("gone"));
  });
});

describe("an answer that never ends", () => {
  test.each([
    ["no line at all", []],
    ["some words", [word("a"), word("b")]],
    ["a last line that says it is none", [{ ...done, done: false }]],
  ])("%s", (_, lines) => {
    expect(failureOf("generate", ...lines)).toEqual({ kind: "unfinished" });
  });
});

describe("a line that does not parse", () => {
  test.each([
    ["a page instead of an answer", ["<html>"], false],
    ["JSON of another kind", ["[]"], false],
    ["fields of another type", ['{"response":7}'], false],
    ["a line cut in the middle", ['{"response":"Hel'], true],
    ["a foreign line after words", [word("a"), "<html>"], true],
    ["a field of another type after words", [word("a"), '{"response":7}'], true],
  ])("%s", (_, lines, begun) => {
    expect(failureOf("generate", ...lines)).toEqual({ kind: "garbage", begun });
  });

  test("is not quoted in the error", () => {
    const assembler = createAnswerAssembler(job("generate"));
    for (const line of ["the-secret-words", '{"response":["the-secret-words"]}']) {
      let thrown: unknown;
      try {
        assembler.add(line);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code: "call_failed" });
      expect(String((thrown as Error).stack) + String((thrown as Error).cause)).not.toContain("secret");
    }
  });
});

describe("an answer without text", () => {
  test.each([
    ["nothing", [done], { doneReason: "stop", evalCount: 2, thought: false }],
    ["a prompt that only loads", [{ done: true, done_reason: "load" }], { doneReason: "load", evalCount: 0 }],
    ["only thoughts", [{ thinking: "Hm" }, { ...done, done_reason: "length" }], { thought: true }],
  ])("%s", (_, lines, expected) => {
    expect(failureOf("generate", ...lines)).toMatchObject({ kind: "empty", ...expected });
  });
});

test("embeddings, with what they cost", () => {
  const answer = {
    embeddings: [
      [0.1, -0.2],
      [1e-9, 0],
    ],
    total_duration: 2_000_000,
    load_duration: 1_000_000,
    prompt_eval_count: 4,
  };
  expect(embedResult(job("embed"), answer, served)).toEqual({
    v: 1,
    type: "embed",
    model: "llama3.2:3b",
    backend: "gpu-1",
    embeddings: answer.embeddings,
    usage: { prompt_tokens: 4, completion_tokens: 0, total_tokens: 4, gpu_ms: 1_234 },
    total_duration_ms: 2,
    load_duration_ms: 1,
    prompt_eval_count: 4,
  });
});
