import type { Classification } from "./classification.ts";

type MessageRule = Omit<Classification, "message"> & {
  readonly pattern: RegExp;
  /** Said instead of Ollama's text where that quotes the prompt, the answer or the request. */
  readonly message?: string;
  /** Only the text's first clause is passed on: what follows comes from the model's process. */
  readonly clauseOnly?: boolean;
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
 * Ollama's texts, old and new (since 0.30 models run in `llama-server`, before in `llama runner`). A text decides
 * over the status it came with. First those that quote what the model wrote or the caller sent, which may hold
 * any words of the others; then from the most telling on.
 */
export const messageRules: readonly MessageRule[] = [
  {
    // The last three are parsers of single model families.
    pattern:
      /invalid tool call|(failed|error|unable)( to)? pars(e|ing) tool call|XML syntax error|failed to parse input at pos|does not match the expected .*format/i,
    code: "invalid_tool_call",
    disposition: "retry",
    retriesMax: 1,
    breaker: "none",
    message: "the model wrote a tool call that does not parse",
  },
  {
    pattern: /^invalid format\b/i,
    code: "invalid_request",
    ...permanent,
    message: '`format` is neither "json" nor a JSON Schema that Ollama accepts',
  },
  { pattern: /^option "[\w.]+" must be of type/i, code: "invalid_request", ...permanent },
  {
    pattern:
      /^template: |template error|error (parsing|executing) template|failed to (parse|apply) (chat )?template/i,
    code: "invalid_request",
    ...permanent,
    message: "the prompt template does not parse or cannot be filled in",
  },
  {
    pattern: /failed to (parse|initialize) grammar|json schema conversion failed/i,
    code: "invalid_request",
    ...permanent,
    message: "the JSON Schema in `format` cannot be turned into a grammar",
  },
  // The only thing Ollama's own 503 says; it comes from the list of pending loads, never from a loaded model.
  {
    pattern: /^server busy, please try again/i,
    code: "backend_overloaded",
    disposition: "free",
    delayMs: [1_000, 15_000],
    breaker: "none",
    throttle: true,
  },
  {
    pattern: /^server overloaded, please retry shortly/i,
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
  // Before the crash rules: older versions wrap it in "llama runner process has terminated".
  { pattern: /this model may be incompatible with your version/i, code: "invalid_request", ...permanent },
  { pattern: /model runner has unexpectedly stopped/i, ...crash },
  { pattern: /llama(-server| runner) process (no longer running|has terminated)/i, ...crash },
  { pattern: /CUDA error/i, ...crash },
  { pattern: /an error was encountered while running the model/i, ...crash, clauseOnly: true },
  // /api/embed answers 400 for every fault of its runner, a crash included; `Post` is Go's HTTP client.
  { pattern: /^do embedding request: Post /i, ...crash },
  { pattern: /^model\b.*\bnot found\b/i, code: "model_not_found", ...permanent },
  {
    pattern:
      /does not support (chat|generate|generation|completion|insert|tools|thinking|vision|images?|audio|embed)/i,
    code: "unsupported_capability",
    ...permanent,
  },
  { pattern: /^this model only supports one image/i, code: "unsupported_capability", ...permanent },
  { pattern: /image input is not supported/i, code: "unsupported_capability", ...permanent },
  {
    pattern:
      /exceed_context_size|prompt is longer than the context|input length exceeds (the|maximum) context|exceeds the available context/i,
    code: "context_too_long",
    ...permanent,
  },
  { pattern: /^unauthorized\b/i, code: "backend_unauthorized", ...permanent },
  {
    pattern:
      /^(missing request body|model is required|invalid model name|invalid think value|top_logprobs must be|raw mode does not support|json: )/i,
    code: "invalid_request",
    ...permanent,
  },
];
