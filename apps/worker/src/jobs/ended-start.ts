import type { Handled } from "@forebay/queue-bullmq";

/** How one start of a job ended and what it used. */
export type EndedStart = Handled & {
  /** From the call to its first line; absent when none came. */
  readonly firstTokenMs?: number | undefined;
};
