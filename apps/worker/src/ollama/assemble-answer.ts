import type { InferenceJob, InferenceResult, Usage } from "@forebay/queue-contracts";
import { CallFailedError } from "./call-failure.ts";
import { type AnswerLine, answerLineSchema, type EmbedAnswer } from "./ollama-answer.ts";

type Served = { backend: string; gpuMs: number };

/** What one line adds to an answer. */
export type AnswerDelta = {
  readonly text: string;
  readonly thinking: string;
  readonly toolCalls: readonly unknown[];
};

/** Puts the lines of a streamed answer together. One per call. */
export type AnswerAssembler = {
  /** Takes one line and says what it added. Throws CallFailedError for an error line or a foreign one. */
  add(line: string): AnswerDelta;
  /** The line that says `done` has come. */
  readonly done: boolean;
  /** Lines that carried something, which is Ollama's unit of streaming: one token, nearly always. */
  readonly tokens: number;
  /** The whole answer. Throws CallFailedError when it never ended or holds nothing. */
  finish(served: Served): InferenceResult;
};

export function createAnswerAssembler(job: InferenceJob): AnswerAssembler {
  let text = "";
  let thinking = "";
  let role = "assistant";
  let tokens = 0;
  let last: AnswerLine | undefined;
  const toolCalls: NonNullable<NonNullable<AnswerLine["message"]>["tool_calls"]> = [];
  const logprobs: NonNullable<AnswerLine["logprobs"]> = [];

  return {
    get tokens() {
      return tokens;
    },
    get done() {
      return last !== undefined;
    },
    add(line) {
      const parsed = parseLine(line, tokens > 0);
      // Ollama has already sent 200 by the time generation breaks; the failure arrives as a last line holding
      // only `error`. A stream that ends without `done` is a failure too.
      if (parsed.error !== undefined)
        throw new CallFailedError({ kind: "in_band", message: wordsOf(parsed.error) });
      const delta = deltaOf(parsed);
      text += delta.text;
      thinking += delta.thinking;
      toolCalls.push(...delta.toolCalls);
      role = parsed.message?.role ?? role;
      logprobs.push(...(parsed.logprobs ?? []));
      if (parsed.done) last = parsed;
      else tokens++;
      return delta;
    },
    finish(served) {
      if (!last) throw new CallFailedError({ kind: "unfinished" });
      if (text === "" && toolCalls.length === 0) {
        const { done_reason: doneReason, eval_count: evalCount } = last;
        throw new CallFailedError({ kind: "empty", doneReason, evalCount, thought: thinking !== "" });
      }
      const common = {
        ...commonFields(job, last, served, last.eval_count),
        done_reason: last.done_reason,
        eval_count: last.eval_count,
        prompt_eval_duration_ms: toMs(last.prompt_eval_duration),
        eval_duration_ms: toMs(last.eval_duration),
        ...(logprobs.length > 0 ? { logprobs } : {}),
      };
      const thought = thinking === "" ? {} : { thinking };
      if (job.type !== "chat") return { type: "generate", ...common, response: text, ...thought };
      const calls = toolCalls.length === 0 ? {} : { tool_calls: toolCalls };
      return { type: "chat", ...common, message: { role, content: text, ...thought, ...calls } };
    },
  };
}

function deltaOf(line: AnswerLine) {
  return {
    text: line.response ?? line.message?.content ?? "",
    thinking: line.thinking ?? line.message?.thinking ?? "",
    toolCalls: line.message?.tool_calls ?? [],
  };
}

/** The result of an embedding call, which Ollama never streams. */
export function embedResult(job: InferenceJob, answer: EmbedAnswer, served: Served): InferenceResult {
  return { type: "embed", ...commonFields(job, answer, served, 0), embeddings: answer.embeddings };
}

function commonFields(
  job: InferenceJob,
  last: Pick<AnswerLine, "model" | "total_duration" | "load_duration" | "prompt_eval_count">,
  served: Served,
  completionTokens: number,
) {
  const usage: Usage = {
    prompt_tokens: last.prompt_eval_count,
    completion_tokens: completionTokens,
    total_tokens: last.prompt_eval_count + completionTokens,
    gpu_ms: served.gpuMs,
  };
  return {
    v: 1 as const,
    model: last.model ?? job.model,
    backend: served.backend,
    usage,
    total_duration_ms: toMs(last.total_duration),
    load_duration_ms: toMs(last.load_duration),
    prompt_eval_count: last.prompt_eval_count,
  };
}

/** Ollama counts in nanoseconds. */
const toMs = (nanoseconds: number): number => Math.round(nanoseconds / 1_000) / 1_000;

/** Ollama's error is a text; one of a proxy in between may be an object. */
const wordsOf = (error: unknown): string => (typeof error === "string" ? error : JSON.stringify({ error }));

function parseLine(line: string, begun: boolean): AnswerLine {
  const parsed = answerLineSchema.safeParse(parseAnswerJson(line, begun));
  // Not with the parser's words as its cause: they quote the answer.
  if (!parsed.success) throw new CallFailedError({ kind: "garbage", begun });
  return parsed.data;
}

/**
 * @param begun whether lines of Ollama's came before
 * @throws {CallFailedError}
 */
export function parseAnswerJson(text: string, begun: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CallFailedError({ kind: "garbage", begun: begun || text.trimStart().startsWith("{") });
  }
}
