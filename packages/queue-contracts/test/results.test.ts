import { describe, expect, test } from "vitest";
import { type z } from "zod";
import {
  deadLetterSchema,
  inferenceResultSchema,
  queueEntrySchema,
  startRecordSchema,
  streamEventSchema,
} from "../src/index.ts";

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, gpu_ms: 12.5 };
const common = {
  v: 1,
  model: "m",
  backend: "gpu-1",
  usage,
  total_duration_ms: 9,
  load_duration_ms: 0,
  prompt_eval_count: 3,
};
const answer = {
  ...common,
  done_reason: "stop",
  eval_count: 4,
  prompt_eval_duration_ms: 1,
  eval_duration_ms: 8,
};
const generate = { ...answer, type: "generate", response: "" };
const chat = {
  ...answer,
  type: "chat",
  message: { role: "assistant", content: "Hi", tool_calls: [{ any: 1 }] },
};
const embed = { ...common, type: "embed", embeddings: [[0.1, -0.2]] };
const start = { at: "2026-01-01T00:00:00.000Z", worker: "w-1" };
const deadLetter = {
  v: 1,
  job_id: `j${"0".repeat(33)}`,
  state: "dead",
  queue: "{infer.m.00000000}",
  tenant: "acme",
  type: "generate",
  model: "m",
  lane: "standard",
  failure: { code: "poison_job", message: "it crashed the runner twice" },
  stack: [],
  attempts: [{ ...start, ended_at: start.at, outcome: "discard", code: "runner_crashed" }],
  attempts_made: 2,
  fingerprint: "f",
  worker: null,
  created_at: start.at,
  first_failed_at: start.at,
  last_failed_at: start.at,
  redrives: 0,
  payload: { v: 99, what: ["ever"] },
};

const twins: [what: string, schema: z.ZodType, good: object, change: object][] = [
  ["a generated text", inferenceResultSchema, generate, { response: undefined }],
  ["a generated text", inferenceResultSchema, generate, { eval_count: -1 }],
  ["a generated text", inferenceResultSchema, generate, { usage: { ...usage, gpu_ms: Number.NaN } }],
  ["a chat's answer", inferenceResultSchema, chat, { message: "Hi" }],
  ["a chat's answer", inferenceResultSchema, chat, { v: 2 }],
  ["an embedding", inferenceResultSchema, embed, { embeddings: [["0.1"]] }],
  ["an embedding", inferenceResultSchema, embed, { type: "image" }],
  ["a start", startRecordSchema, start, { at: "yesterday" }],
  ["a start", startRecordSchema, start, { outcome: "vanished" }],
  ["a dead letter", deadLetterSchema, deadLetter, { job_id: "7" }],
  ["a dead letter", deadLetterSchema, deadLetter, { failure: { code: "bad_luck", message: "" } }],
  ["a dead letter", deadLetterSchema, deadLetter, { state: "forgotten" }],
  [
    "a queue entry",
    queueEntrySchema,
    { name: "q", model: "m", runner: { num_ctx: 1 } },
    { runner: { ctx: 1 } },
  ],
  ["a token", streamEventSchema, { event: "token", seq: 1, text: "a" }, { seq: 0 }],
  ["a restart", streamEventSchema, { event: "restart", seq: 3, attempt: 2 }, { attempt: 0 }],
  [
    "a failure",
    streamEventSchema,
    { event: "failed", seq: 3, error: deadLetter.failure },
    { error: undefined },
  ],
  [
    "a state",
    streamEventSchema,
    { event: "state", seq: 1, state: "active", at: start.at, attempt: 1 },
    { state: "running" },
  ],
];

test.each(twins)("%s parses, and its bad twin does not (%#)", (_, schema, good, change) => {
  expect(schema.parse(good)).toEqual(good);
  expect(schema.safeParse({ ...good, ...change }).success).toBe(false);
});

describe("a reader of an older version", () => {
  test.each([generate, chat, embed])("takes a result with a field it does not know", (result) => {
    expect(inferenceResultSchema.parse({ ...result, since: "0.2" })).toEqual(result);
  });

  test("takes a dead letter whose payload nobody can read", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);
    for (const payload of [null, "text", 7, deep]) {
      expect(deadLetterSchema.safeParse({ ...deadLetter, payload }).success).toBe(true);
    }
  });
});
