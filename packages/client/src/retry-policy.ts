import { ConnectionError, ForebayError } from "./errors.ts";

/** Refusals that pass by themselves. All of the server's own 503 say when to come back. */
const passingStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const delayMsMax = 30_000;
/** A server that wants to be left alone for longer is the caller's business. Seconds. */
const retryAfterMaxS = 60;

/** Whether the same request may succeed a little later. */
export function isPassing(error: unknown): error is ForebayError {
  if (error instanceof ConnectionError) return true;
  if (!(error instanceof ForebayError) || !passingStatuses.has(error.status)) return false;
  return (error.retryAfterS ?? 0) <= retryAfterMaxS;
}

/**
 * Milliseconds to wait after so many failures in a row: what the server asked for, otherwise `baseMs`, doubled
 * each time up to 30 s and spread, so that those who were cut off together do not come back together.
 *
 * @param random 0 to 1
 */
export function retryDelayMs(
  after: { failures: number; baseMs: number; retryAfterS?: number | undefined },
  random: number,
): number {
  const backoffMs = Math.min(delayMsMax, after.baseMs * 2 ** Math.min(after.failures - 1, 20));
  return Math.max((after.retryAfterS ?? 0) * 1_000, backoffMs * (0.75 + random / 2));
}

/** `Retry-After`: seconds, or a date. Returns seconds from now, 0 or more; undefined: nothing usable. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - nowMs) / 1_000));
}
