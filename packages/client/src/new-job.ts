import type { JsonValue, Lane } from "./job-view.ts";

/** Ollama's `options`. */
export type ModelOptions = {
  /** Context window in tokens; the server rounds it up to one of its sizes. */
  num_ctx?: number;
  num_batch?: number;
  num_gpu?: number;
  main_gpu?: number;
  use_mmap?: boolean;
  num_thread?: number;
  draft_num_predict?: number;
  num_keep?: number;
  /** Same seed, same answer; -1: another one each time. */
  seed?: number;
  /** Most tokens to write; -1: until the model stops. */
  num_predict?: number;
  temperature?: number;
  top_k?: number;
  top_p?: number;
  min_p?: number;
  typical_p?: number;
  repeat_last_n?: number;
  repeat_penalty?: number;
  presence_penalty?: number;
  frequency_penalty?: number;
  /** Sequences that end the answer. */
  stop?: string | string[];
};

/** What every kind of job can be told. */
export type JobSettings = {
  /** Default: the server's. */
  model?: string;
  /** Default: the key's, mostly `standard`. */
  lane?: Lane;
  /** Tries that count, 1 to 10. Default 3. */
  attempts?: number;
  /** At most 16 pairs of text that come back with the job and can be searched for. */
  metadata?: Record<string, string>;
  /** A person or process within the tenant; sub-divides the tenant's share. */
  user?: string;
  /** Not before this time (RFC 3339). Not together with delay_ms. */
  run_at?: string;
  delay_ms?: number;
  /** Not begun so many seconds after it may begin: it ends as `expired`. */
  start_deadline_s?: number;
  /** Seconds from its first start, retries included; then it ends as `timed_out`. */
  timeout_s?: number;
  /** false: no log of its tokens is kept, its stream tells states only. Default true. */
  stream?: boolean;
  /** Instead of the one `submit` makes by itself: 1 to 255 printable ASCII characters. */
  idempotency_key?: string;
  options?: ModelOptions;
  /** How long the model stays loaded afterwards: seconds, or a duration such as "5m". */
  keep_alive?: number | string;
};

type AnswerSettings = JobSettings & {
  /** `"json"`, or a JSON Schema for the answer. */
  format?: "json" | Record<string, JsonValue>;
  /** Whether, or how hard, a thinking model thinks. */
  think?: boolean | "low" | "medium" | "high" | "max";
  logprobs?: boolean;
  top_logprobs?: number;
};

export type GenerateJob = AnswerSettings & {
  type?: "generate";
  prompt: string;
  system?: string;
  suffix?: string;
  template?: string;
  raw?: boolean;
  /** Base64, without a `data:` prefix. */
  images?: string[];
};

export type ChatMessage = {
  role: "system" | "user" | "assistant" | "tool";
  content?: string;
  thinking?: string;
  images?: string[];
  tool_calls?: { id?: string; function: { name: string; arguments: Record<string, JsonValue> } }[];
  tool_name?: string;
  tool_call_id?: string;
};

export type ChatJob = AnswerSettings & {
  type?: "chat";
  /** The conversation so far, oldest first. */
  messages: ChatMessage[];
  /** Functions the model may ask to be called. */
  tools?: {
    type: "function";
    function: { name: string; description?: string; parameters?: Record<string, JsonValue> };
  }[];
};

export type EmbedJob = JobSettings & {
  type?: "embed";
  /** One text or up to 10,000; the result has one vector for each. */
  input: string | string[];
  dimensions?: number;
  /** false: a text longer than the context fails the job instead of being cut. */
  truncate?: boolean;
};

/** Body of `POST /jobs`: `prompt` makes a generate job, `messages` a chat job, `input` an embed job. */
export type NewJob = GenerateJob | ChatJob | EmbedJob;
