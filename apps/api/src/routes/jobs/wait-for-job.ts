import { type JobRecord, readJob, readJobState } from "@forebay/queue-bullmq";
import type { JobState } from "@forebay/queue-contracts";
import { coalesceRuns } from "./coalesce-runs.ts";
import type { JobDeps } from "./job-deps.ts";

/**
 * The job as soon as `done` holds for its state, or as it is after `ms`, or when the signal aborts; undefined when
 * it is gone. Woken by events and decided by reading the job: an event lost costs seconds, never an answer.
 * Rejects while Redis is away at the beginning or the end.
 */
export async function waitForJob(
  { space, directory, hub }: Pick<JobDeps, "space" | "directory" | "hub">,
  id: string,
  done: (state: JobState) => boolean,
  limits: { ms: number; signal: AbortSignal },
): Promise<JobRecord | undefined> {
  const end = Promise.withResolvers<void>();
  const look = coalesceRuns(async () => {
    const state = await readJobState(space, directory, id);
    if (state === undefined || done(state)) end.resolve();
  });
  // Redis may be away; the hub wakes us when it is back.
  const lookLater = (): void => void look().catch(() => undefined);
  const watch = await hub.watch(id, {
    // Tokens change no state, and a waiter is not to read the job for each of them.
    onEntries: (entries) => entries.some(({ event }) => event === "state") && lookLater(),
    onChange: lookLater,
  });
  const timer = setTimeout(end.resolve, limits.ms);
  limits.signal.addEventListener("abort", () => end.resolve(), { once: true });
  try {
    lookLater();
    if (!limits.signal.aborted) await end.promise;
    return await readJob(space, directory, id);
  } finally {
    clearTimeout(timer);
    watch.stop();
  }
}
