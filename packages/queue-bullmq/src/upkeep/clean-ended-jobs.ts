import type { QueueSpace } from "../queues/queue-space.ts";

/** Cleaning is one script per chunk and blocks Redis while it runs: some milliseconds at this size. */
const chunkSize = 200;

/**
 * Removes jobs that ended more than `ageS` seconds ago. Workers do so too, but only on queues they finish jobs
 * on. At most `max` jobs per call, rounded up to whole chunks; returns how many.
 */
export async function cleanEndedJobs(
  space: QueueSpace,
  queueName: string,
  clean: { set: "completed" | "failed"; ageS: number; max: number; signal: AbortSignal },
): Promise<number> {
  let removed = 0;
  while (removed < clean.max && !clean.signal.aborted) {
    const ids = await space.queue(queueName).clean(clean.ageS * 1_000, chunkSize, clean.set);
    removed += ids.length;
    if (ids.length < chunkSize) break;
  }
  return removed;
}
