import type { Classification } from "./classify-failure.ts";

type MessageRule = Omit<Classification, "message"> & {
  readonly pattern: RegExp;
  /** Only with one of these statuses; absent: with any, and within a stream. */
  readonly statuses?: readonly number[];
  /** Replaces Ollama's text where that may quote the prompt or the answer. */
  readonly message?: string;
};

const permanent = { disposition: "discard", breaker: "none" } as const;
const crash = {
  code: "runner_crashed",
  disposition: "retry",
  retriesMax: 2,
  delayMs: [5_000, 7_500],
  breaker: "crash",
} as const;

/**
 * Ollama's texts, old and new (since 0.30 models run in `llama-server`, before in `llama runner`), most
 * telling first. A text decides over the status it came with.
 */
export const messageRules: readonly MessageRule[] = [
  // The only thing Ollama's 503 says; it comes from the list of pending loads, never from a loaded model.
  {
    pattern: /server busy, please try again/i,
    code: "backend_overloaded",
    disposition: "free",
    delayMs: [1_000, 15_000],
    breaker: "none",
    throttle: true,
  },
  {
    pattern: /server overloaded, please retry shortly/i,
    code: "backend_overloaded",
    disposition: "retry",
    delayMs: [5_000, 60_000],
    breaker: "model",
  },
  {
    pattern: /timed out waiting for llama(-server| runner) to start/i,
    code: "model_load_stalled",
    disposition: "retry",
    retriesMax: 1,
    delayMs: [30_000, 60_000],
    breaker: "model",
  },
  // Before the crash rules: a load that ran out of memory also "has terminated".
  {
    pattern:
      /out[- ]of[- ]memory|cudaMalloc failed|unable to (allocate|load full model)|requires more system memory/i,
    code: "out_of_memory",
    disposition: "retry",
    retriesMax: 2,
    delayMs: [60_000, 90_000],
    breaker: "model",
  },
  // Before the crash rules: this text comes from a runner that is well.
  {
    pattern: /invalid tool call arguments|(failed|error) (to parse|parsing) tool call/i,
    code: "invalid_tool_call",
    disposition: "retry",
    retriesMax: 1,
    breaker: "none",
    message: "the model wrote a tool call that does not parse",
  },
  {
    pattern: /token repeat limit reached/i,
    code: "truncated_answer",
    disposition: "retry",
    retriesMax: 1,
    breaker: "none",
  },
  {
    pattern: /no slots available/i,
    code: "backend_overloaded",
    disposition: "retry",
    delayMs: [1_000, 5_000],
    breaker: "none",
  },
  { pattern: /this model may be incompatible with your version/i, code: "invalid_request", ...permanent },
  { pattern: /model runner has unexpectedly stopped/i, ...crash },
  { pattern: /llama(-server| runner) process (no longer running|has terminated)/i, ...crash },
  { pattern: /CUDA error/i, ...crash },
  { pattern: /an error was encountered while running the model/i, ...crash },
  // /api/embed answers 400 for every fault of its runner, a crash included.
  { pattern: /do embedding request:.*(EOF|connection (reset|refused)|broken pipe)/is, ...crash },
  { pattern: /model ['"].*['"] not found/i, code: "model_not_found", ...permanent },
  { pattern: /does not support /i, code: "unsupported_capability", ...permanent },
  { pattern: /this model only supports one image/i, code: "unsupported_capability", ...permanent },
  {
    pattern:
      /exceed_context_size|prompt is longer than the context|input length exceeds (the|maximum) context|exceeds the available context/i,
    code: "context_too_long",
    ...permanent,
  },
  { pattern: /^invalid format/i, code: "invalid_request", ...permanent },
  { pattern: /option ".*" must be of type/i, code: "invalid_request", ...permanent },
  {
    pattern: /^template: |template error|error (parsing|executing) template/i,
    code: "invalid_request",
    ...permanent,
  },
  {
    pattern: /failed to (parse|initialize) grammar|json schema conversion failed/i,
    code: "invalid_request",
    ...permanent,
  },
  { pattern: /^unauthorized/i, code: "backend_unauthorized", statuses: [401, 403], ...permanent },
];
