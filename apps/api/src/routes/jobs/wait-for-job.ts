import { readJobState } from "@forebay/queue-bullmq";
import type { JobState } from "@forebay/queue-contracts";
import { coalesceRuns } from "./coalesce-runs.ts";
import type { JobDeps } from "./job-deps.ts";

/**
 * Resolves when `done` holds for the job's state, when it is gone, after `ms`, or when the signal aborts. Woken by
 * events and decided by reading the state: an event lost costs seconds, never an answer. Holds nothing of the job
 * meanwhile, since thousands may wait. Rejects if Redis is away at the beginning.
 */
export async function waitForJob(
  { space, directory, hub }: Pick<JobDeps, "space" | "directory" | "hub">,
  id: string,
  done: (state: JobState) => boolean,
  limits: { ms: number; signal: AbortSignal },
): Promise<void> {
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
  } finally {
    clearTimeout(timer);
    watch.stop();
  }
}
