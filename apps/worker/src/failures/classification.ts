import type { FailureCode } from "@forebay/queue-contracts";

/** What a failure says about the backend's health; the breaker counts these. */
export type BreakerSignal = "down" | "reset" | "model" | "crash" | "stuck" | "none";

/** What one failed call means, before the job's history is looked at. */
export type Classification = {
  readonly code: FailureCode;
  /** For the job's view: says what happened, never what was asked or answered. */
  readonly message: string;
  /**
   * `discard`: cannot succeed. `retry`: spends an attempt, at most `retriesMax` times for this code.
   * `free`: not the job's fault, spends nothing; after `freeMax` times it may be, and spends attempts.
   */
  readonly disposition: "discard" | "retry" | "free";
  readonly freeMax?: number;
  readonly retriesMax?: number;
  /** Wait before the next try, from–to in ms; without it the policy's backoff. */
  readonly delayMs?: readonly [number, number];
  readonly breaker: BreakerSignal;
  /** The host is full: give it less. */
  readonly throttle?: boolean;
};
