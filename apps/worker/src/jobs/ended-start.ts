import type { Outcome } from "@forebay/queue-bullmq";

/** How one start of a job ended and what it used. */
export type EndedStart = {
  readonly outcome: Outcome;
  /** Time a slot was held, in milliseconds. */
  readonly gpuMs: number;
  /** From the call to its first line; absent when none came. */
  readonly firstTokenMs?: number | undefined;
};
