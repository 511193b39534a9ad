import {
  cleanEndedJobs,
  expireLetters,
  type IndexRepairer,
  type QueueDirectory,
  type QueueSpace,
} from "@forebay/queue-bullmq";
import type { DeliveryPolicy } from "@forebay/queue-contracts";
import type { DlqEvents } from "../events.ts";

/** Bounds of one round, so that no round takes long and Redis is never blocked: what is left waits for the next. */
const jobsPerQueueMax = 5_000;
const lettersMax = 5_000;
const lettersAtOnce = 200;
const indexEntriesMax = 50_000;

export type UpkeepDeps = {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  readonly repairer: IndexRepairer;
  readonly policy: DeliveryPolicy;
  readonly events: DlqEvents;
  /** Whether every failed job has had the chance to become a dead letter. */
  readonly sweptAll: () => boolean;
  readonly now: () => number;
};

/** One round of what must be done although no job ends: old jobs and letters go, the tenants' indexes are mended. */
export async function keepUp(deps: UpkeepDeps, signal: AbortSignal): Promise<void> {
  const { events } = deps;
  events.jobsCleaned(await cleanQueues(deps, signal));
  events.lettersExpired(await expireOldLetters(deps, signal));
  events.indexRepaired(await deps.repairer.repair(indexEntriesMax, signal));
}

async function cleanQueues(deps: UpkeepDeps, signal: AbortSignal): Promise<number> {
  const { space, policy } = deps;
  let removed = 0;
  for (const { name } of await deps.directory.list()) {
    if (signal.aborted) break;
    const common = { max: jobsPerQueueMax, signal };
    removed += await cleanEndedJobs(space, name, { set: "completed", ageS: policy.completedAgeS, ...common });
    // A failed job is not forgotten before a sweep of this process has seen it.
    if (!deps.sweptAll()) continue;
    removed += await cleanEndedJobs(space, name, { set: "failed", ageS: policy.failedAgeS, ...common });
  }
  return removed;
}

async function expireOldLetters({ space, policy, now }: UpkeepDeps, signal: AbortSignal): Promise<number> {
  const beforeMs = now() - policy.deadLetterAgeS * 1_000;
  let removed = 0;
  while (removed < lettersMax && !signal.aborted) {
    const expired = await expireLetters(space, beforeMs, lettersAtOnce);
    removed += expired;
    if (expired < lettersAtOnce) break;
  }
  return removed;
}
