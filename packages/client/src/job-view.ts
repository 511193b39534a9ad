// The types of this package are written out, not taken from @forebay/queue-contracts: they would bring zod
// along, and this package is to need nothing. `test/types.test.ts` holds them against the contracts.

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** How urgent: `interactive` a person is looking at the screen, `standard` a service waits, `batch` nobody waits. */
export type Lane = "interactive" | "standard" | "batch";

/**
 * Where a job is. `completed` has a result, the other final states have an error: `expired` never began in
 * time, `timed_out` ran too long.
 */
export type JobState = "waiting" | "delayed" | "active" | FinalState;
export type FinalState = "completed" | "failed" | "cancelled" | "expired" | "timed_out";

export function isFinalState(state: JobState): state is FinalState {
  return state !== "waiting" && state !== "delayed" && state !== "active";
}

/** Every way a job can end without a result. The list is closed. */
export type FailureCode =
  | "invalid_payload"
  | "model_not_found"
  | "unsupported_capability"
  | "invalid_request"
  | "context_too_long"
  | "schema_mismatch"
  | "empty_answer"
  | "truncated_answer"
  | "invalid_tool_call"
  | "backend_unavailable"
  | "backend_overloaded"
  | "backend_reset"
  | "backend_unauthorized"
  | "backend_misconfigured"
  | "model_load_stalled"
  | "out_of_memory"
  | "runner_crashed"
  | "poison_job"
  | "backend_stuck"
  | "worker_lost"
  | "cancelled"
  | "expired"
  | "timed_out"
  | "internal_error";

/** What a job cost. */
export type Usage = {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** Milliseconds a GPU's slot was held, over all tries. */
  gpu_ms: number;
};

type CommonResult = {
  /** The model as Ollama named it. */
  model: string;
  total_duration_ms: number;
  load_duration_ms: number;
  prompt_eval_count: number;
};
type AnswerResult = CommonResult & {
  /** `stop`: the model ended it. `length`: cut by `num_predict` or the context. */
  done_reason: string;
  /** Tokens of the answer. */
  eval_count: number;
  prompt_eval_duration_ms: number;
  eval_duration_ms: number;
  logprobs?: JsonValue[] | undefined;
};

export type GenerateResult = AnswerResult & { response: string; thinking?: string | undefined };
export type ChatResult = AnswerResult & {
  message: {
    role: string;
    content: string;
    thinking?: string | undefined;
    tool_calls?: JsonValue[] | undefined;
  };
};
/** One vector per input text, in their order. */
export type EmbedResult = CommonResult & { embeddings: number[][] };
export type JobResult = GenerateResult | ChatResult | EmbedResult;

export type JobError = {
  code: FailureCode;
  /** For people; may change. */
  message: string;
  /** Whether the same job, put again later, may well succeed. */
  retryable: boolean;
  /** Every try that failed and counted. */
  attempts: { at: string; code: string; message: string }[];
};

export type TimelineEntry = {
  at: string;
  state: JobState;
  /** With state `active`: the Ollama host that worked on it. */
  backend?: string | undefined;
};

/** A job as the server shows it. Times are RFC 3339 strings. */
export type JobView = {
  job_id: string;
  state: JobState;
  type: "generate" | "chat" | "embed" | null;
  model: string | null;
  lane: Lane | null;
  created_at: string;
  /** When a worker last picked it up. */
  started_at: string | null;
  finished_at: string | null;
  /** Jobs that would run before it on its queue, while it waits; 0: it is next. */
  queue_position: number | null;
  /** `running_limit`: its tenant runs as many jobs as it may, and one of them has to end first; null: its turn. */
  waiting_for: "running_limit" | null;
  /** When a job that was submitted for later may begin. */
  run_at: string | null;
  /** Seconds until it is expected to start, while it waits; null: nobody can tell. */
  eta_s: number | null;
  /** Two numbers of seconds, between which the start lies four times of five. */
  eta_range_s: number[] | null;
  progress: { tokens: number; percent: number | null };
  attempts_made: number;
  attempts_max: number;
  timeline: TimelineEntry[];
  /** Once completed; null also for readers who may not see it. */
  result: JobResult | null;
  usage: Usage | null;
  /** Once it ended without a result. */
  error: JobError | null;
  metadata: Record<string, string>;
  links: { self: string; events: string; cancel: string };
};

/** A job in a list: without its result. */
export type JobSummary = Omit<JobView, "result">;
