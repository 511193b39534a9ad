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
  return jobIdOf(tag, now, randomBytes());
}

/** The id of a job that is the same whoever makes it. `unguessable`: 16 bytes that nobody else can know. */
export function jobIdOf(tag: string, timeMs: number, unguessable: Uint8Array): string {
  return `j${numberToBase32(timeMs, 9)}${bytesToBase32(unguessable.subarray(0, randomLength))}${tag}`;
}

const randomLength = 16;
const pool = new Uint8Array(256 * randomLength);
let used = pool.length;

// A call for random bytes costs more than everything else about an id; one call serves many.
function randomBytes(): Uint8Array {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += randomLength;
  return pool.subarray(used - randomLength, used);
}

/** The queue tag in an id, or undefined when the text is no job id. */
export function queueTagOfJobId(id: string): string | undefined {
  return idPattern.test(id) ? id.slice(26) : undefined;
}

/** When the id was made, in milliseconds since 1970, by the clock of whoever made it. */
export function jobIdTimeMs(id: string): number {
  return base32ToNumber(id.slice(1, 10));
}
