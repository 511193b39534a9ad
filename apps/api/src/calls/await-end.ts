import { hasEnded, type JobRecord, type LogEntry, readJob } from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";
import { coalesceRuns } from "../routes/jobs/coalesce-runs.ts";
import type { JobDeps } from "../routes/jobs/job-deps.ts";

/** What is told meanwhile. */
export type EndListener = {
  /** Nothing has happened for a while, and the client should hear something. */ idle(): void;
  /** The job's log has grown. */ entries(entries: readonly LogEntry[]): void;
};

/**
 * The job once it ended; undefined: it is gone, or the signal aborted first. Its log is not read: whoever waits for
 * the whole answer has no use for its parts.
 */
export async function awaitEnd(
  { space, directory, hub }: Pick<JobDeps, "space" | "directory" | "hub">,
  place: { id: string; queueName: string },
  idleMs: number,
  signal: AbortSignal,
  on: EndListener,
): Promise<JobRecord | undefined> {
  const { id } = place;
  const end = Promise.withResolvers<JobRecord | undefined>();
  const look = coalesceRuns(async () => {
    const record = await readJob(space, directory, id);
    if (!record || isFinalState(record.state)) end.resolve(record);
  });
  // Redis may be away; the hub wakes us when it is back.
  const lookLater = (): void => void look().catch(() => undefined);
  const watch = await hub.watch(id, { onEntries: on.entries, onChange: lookLater });
  const timer = setInterval(() => on.idle(), idleMs);
  const onAbort = (): void => end.resolve(undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    // It may have ended before anybody listened, or gone on elsewhere.
    const ended = await hasEnded(space, place.queueName, id).catch(() => false);
    if (ended !== false) lookLater();
    return await end.promise;
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", onAbort);
    watch.stop();
  }
}
