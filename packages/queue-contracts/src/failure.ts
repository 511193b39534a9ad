import { z } from "zod";

type FailureDoc = {
  /** What happened. */ readonly meaning: string;
  /** What the caller should do about it. */ readonly action: string;
  /** Whether the same job, put again later, may well succeed. */ readonly retryable: boolean;
};

/** Every way a job can end without a result. The list is closed: a reader may switch over it. */
export const failureCodes = {
  invalid_payload: {
    meaning: "The payload on the queue does not parse: written by an incompatible producer, or damaged.",
    action: "Fix the producer: parse with `inferenceJobSchema` before adding the job.",
    retryable: false,
  },
  model_not_found: {
    meaning: "The backend does not have the model (any more).",
    action: "Pull the model on a backend, or name another one.",
    retryable: false,
  },
  unsupported_capability: {
    meaning: "The model cannot do what was asked: chat, tools, images, thinking, embeddings.",
    action: "Choose a model that can.",
    retryable: false,
  },
  invalid_request: {
    meaning: "Ollama refused the request as wrong: format, template, grammar or an option.",
    action: "Correct the request; the message says what Ollama found.",
    retryable: false,
  },
  context_too_long: {
    meaning: "The prompt does not fit the context window.",
    action: "Shorten the prompt or raise `options.num_ctx`.",
    retryable: false,
  },
  schema_mismatch: {
    meaning: "The answer does not satisfy the JSON Schema in `format`.",
    action: "Simplify the schema, or use a stronger model.",
    retryable: true,
  },
  empty_answer: {
    meaning: "The model ended without an answer (only thinking, or nothing).",
    action: "Raise `options.num_predict`, or turn `think` off.",
    retryable: true,
  },
  truncated_answer: {
    meaning: "The stream ended without its final line: the model ran in a loop and was cut off.",
    action: "Try another `seed`, or raise `repeat_penalty`.",
    retryable: true,
  },
  invalid_tool_call: {
    meaning: "The model wrote a tool call that does not parse.",
    action: "Try again, or use a model that is better at tools.",
    retryable: true,
  },
  backend_unavailable: {
    meaning: "No backend of this model could be reached.",
    action: "Nothing: the job waits and spends no attempt. Ends a job only when an operator says so.",
    retryable: true,
  },
  backend_overloaded: {
    meaning: "The backend refused for being full, again and again.",
    action: "Retry later; operators: lower WORKER_CONCURRENCY or add a backend.",
    retryable: true,
  },
  backend_reset: {
    meaning: "The connection to the backend broke in the middle of the call.",
    action: "Retry later; operators: look for restarts of Ollama.",
    retryable: true,
  },
  backend_unauthorized: {
    meaning: "The backend wants credentials (a cloud model) or has it disabled.",
    action: "Operators: sign the backend in, or remove the model.",
    retryable: false,
  },
  backend_misconfigured: {
    meaning: "The address does not behave like Ollama: wrong host header, path or version.",
    action: "Operators: check OLLAMA_URLS and the version of Ollama.",
    retryable: false,
  },
  model_load_stalled: {
    meaning: "Loading the model stopped making progress.",
    action: "Retry later; operators: look at the disk and memory of the backend.",
    retryable: true,
  },
  out_of_memory: {
    meaning: "The model does not fit into the memory that is free.",
    action: "Lower `num_ctx`, or use a smaller model; operators: free memory.",
    retryable: true,
  },
  runner_crashed: {
    meaning: "The model's process crashed while it worked on the job.",
    action: "Retry later.",
    retryable: true,
  },
  poison_job: {
    meaning: "The job crashed the model's process twice: it is not tried a third time.",
    action: "Change the request; operators: keep it for the bug report.",
    retryable: false,
  },
  backend_stuck: {
    meaning: "The backend fell silent longer than the configured limit.",
    action: "Retry later; operators: restart that Ollama.",
    retryable: true,
  },
  worker_lost: {
    meaning: "The worker died while it ran the job, more often than is allowed.",
    action: "Retry once; if it happens again the job itself may kill the worker.",
    retryable: true,
  },
  cancelled: { meaning: "Cancelled on request.", action: "None.", retryable: true },
  expired: {
    meaning: "Its start deadline passed before a GPU was free; it never ran.",
    action: "Put it again with a longer deadline, or in a more urgent lane.",
    retryable: true,
  },
  timed_out: {
    meaning: "It ran longer than its `timeout_s`.",
    action: "Allow more time, or limit `num_predict`.",
    retryable: true,
  },
  internal_error: {
    meaning: "A fault in Forebay itself.",
    action: "Retry; report it with the job id.",
    retryable: true,
  },
} as const satisfies Record<string, FailureDoc>;

export type FailureCode = keyof typeof failureCodes;
export const failureCodeSchema = z
  .enum(Object.keys(failureCodes) as [FailureCode, ...FailureCode[]])
  .describe("One of a closed list; what each means and what to do is in the README.");

/** Why a job, or one try of it, ended without a result. `message` never holds prompt or answer. */
export const failureSchema = z.object({
  code: failureCodeSchema,
  message: z.string().describe("For people; may change. Never holds prompt or answer."),
});
export type Failure = z.infer<typeof failureSchema>;

/** BullMQ keeps one text per failed job (`failedReason`): `<code>: <message>`. */
export function formatFailedReason(failure: Failure): string {
  return `${failure.code}: ${failure.message}`;
}

/** Reads a `failedReason`, also one that BullMQ itself or a foreign processor wrote. */
export function parseFailedReason(reason: string): Failure {
  const [, code, message] = /^(\w+): ([\s\S]*)$/.exec(reason) ?? [];
  const parsed = failureCodeSchema.safeParse(code);
  if (parsed.success) return { code: parsed.data, message: message ?? "" };
  // BullMQ's own words when a job stalled more often than maxStalledCount allows.
  if (reason.includes("stalled more than allowable limit")) {
    return { code: "worker_lost", message: "the worker running the job died more often than is allowed" };
  }
  return { code: "internal_error", message: "the job failed outside Forebay's own code" };
}
