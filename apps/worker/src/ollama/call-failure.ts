/**
 * How a call of Ollama went wrong, as it was seen on the wire. Ollama's statuses lie both ways (permanent
 * faults come as 500, passing ones as 400), so everything that arrived is kept for `classifyFailure`.
 */
export type CallFailure =
  /** The connection could not be made or broke. `code`: Node's or undici's. */
  | { kind: "socket"; code: string }
  /** An answer other than 200, with its text. */
  | { kind: "status"; status: number; body: string }
  /** 200, then a line that holds only `error`: generation broke after it had begun. */
  | { kind: "in_band"; message: string }
  /** 200, then the end of the stream without a line that says `done`. */
  | { kind: "unfinished" }
  /** A line that does not parse. `begun`: it, or one before it, looks like Ollama's. */
  | { kind: "garbage"; begun: boolean }
  /** A line longer than is read. */
  | { kind: "too_long"; limitBytes: number }
  /** Done, and nothing in it. */
  | { kind: "empty"; doneReason: string; evalCount: number; thought: boolean }
  /** Nothing came for longer than is allowed. */
  | { kind: "silence"; phase: "first_byte" | "between_tokens"; limitMs: number };

export class CallFailedError extends Error {
  readonly code = "call_failed";
  readonly failure: CallFailure;
  constructor(failure: CallFailure, cause?: unknown) {
    super(`the call of Ollama failed: ${failure.kind}`, { cause });
    this.failure = failure;
  }
}
