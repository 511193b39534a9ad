import { type JobRecord, readJob } from "@forebay/queue-bullmq";
import type { JobDeps } from "./job-deps.ts";

/**
 * The job as soon as `done` holds for it, or as it is after `ms`, or when the signal aborts; undefined when it
 * is gone. Woken by events and decided by reading the job: an event lost costs seconds, never an answer.
 */
export async function waitForJob(
  { space, directory, hub }: Pick<JobDeps, "space" | "directory" | "hub">,
  id: string,
  done: (job: JobRecord) => boolean,
  limits: { ms: number; signal: AbortSignal },
): Promise<JobRecord | undefined> {
  const end = Promise.withResolvers<void>();
  let last: JobRecord | undefined;
  let reading = false;
  let again = false;
  const look = async (): Promise<void> => {
    again = true;
    if (reading) return;
    reading = true;
    while (again) {
      again = false;
      // Redis may be away; the hub wakes us when it is back.
      last = await readJob(space, directory, id).catch(() => last);
      if (!last || done(last)) end.resolve();
    }
    reading = false;
  };
  const watch = await hub.watch(id, {
    // Tokens change no state, and a waiter is not to read the job for each of them.
    onEntries: (entries) => entries.some(({ event }) => event === "state") && void look(),
    onChange: () => void look(),
  });
  const timer = setTimeout(end.resolve, limits.ms);
  limits.signal.addEventListener("abort", () => end.resolve(), { once: true });
  try {
    await look();
    await end.promise;
    return last;
  } finally {
    clearTimeout(timer);
    watch.stop();
  }
}
