import type { AnswerPart } from "../answer/answer.ts";
import type { Metrics } from "./inference-job.ts";

/** How one API dresses an answer. */
export type Surface = {
  contentType: string;
  chunk(part: AnswerPart): string;
  /** The last words of a stream that ended well. */
  close(reason: "stop" | "length", metrics: Metrics): string;
  /** A failure after the first chunk. */
  broken(message: string): string;
  /** All in one; without `ending` the generation stopped half-way. */
  whole(
    parts: readonly AnswerPart[],
    ending: { reason: "stop" | "length"; metrics: Metrics } | undefined,
  ): unknown;
  /** Nothing was asked for but to load or to unload. */
  empty(reason: "load" | "unload"): unknown;
  error(status: number, message: string): unknown;
};
