import { z } from "zod";
import { base32ToNumber, bytesToBase32, numberToBase32 } from "./base32.ts";

const idPattern = /^j[0-9a-hjkmnp-tv-z]{33}$/;

/**
 * A job id: `j`, 9 characters of time (ms, sorts by age), 16 random characters (80 bits: cannot be guessed),
 * and the 8 characters of its queue's tag, so that an id leads to its queue without a search.
 * Safe for BullMQ: no colon, not an integer.
 */
export const jobIdSchema = z.string().regex(idPattern, { error: "is not a job id" });

/**
 * A new id for a job of the queue with this tag. Choose it before the first write and keep it over retries
 * of that write: a write that timed out may have been done, and the same id then finds it.
 */
export function createJobId(tag: string, now: number = Date.now()): string {
  return jobIdOf(tag, now, crypto.getRandomValues(new Uint8Array(16)));
}

/** The id of a job that is the same whoever makes it: `unguessable` is at least 16 bytes nobody can know. */
export function jobIdOf(tag: string, timeMs: number, unguessable: Uint8Array): string {
  return `j${numberToBase32(timeMs, 9)}${bytesToBase32(unguessable.subarray(0, 16))}${tag}`;
}

/** The queue tag in an id, or undefined when the text is no job id. */
export function queueTagOfJobId(id: string): string | undefined {
  return idPattern.test(id) ? id.slice(26) : undefined;
}

/** When the id was made, in milliseconds since 1970, by the clock of whoever made it. */
export function jobIdTimeMs(id: string): number {
  return base32ToNumber(id.slice(1, 10));
}
