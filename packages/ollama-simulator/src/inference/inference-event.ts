import type { AnswerPart } from "../answer/answer.ts";
import type { Metrics } from "./inference-job.ts";

/** What a generation does to its connection, in order. */
export type InferenceEvent =
  | { kind: "parts"; parts: AnswerPart[] }
  | { kind: "done"; reason: "stop" | "length"; metrics: Metrics }
  /** Before the first part a status, afterwards a last line in the stream. */
  | { kind: "error"; status: number; message: string }
  | { kind: "raw"; text: string }
  | { kind: "reset" }
  /** An orderly end without `done`. */
  | { kind: "end" };

/** Resolves when the connection can take more. */
export type Emit = (event: InferenceEvent) => Promise<void> | void;
