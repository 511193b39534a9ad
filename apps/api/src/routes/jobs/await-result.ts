import { cancelJob, isRedisUnavailable, type JobRecord, readJob, tenantOf } from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";
import type { JobDeps } from "./job-deps.ts";
import { jobView } from "./job-view.ts";
import type { JobView } from "./job-view-schema.ts";
import { waitForJob } from "./wait-for-job.ts";

/**
 * The view of a job just submitted, when it ended or `waitS` passed. If the client goes first, the job goes on
 * or is cancelled, as it asked.
 */
export async function awaitResult(
  deps: JobDeps,
  view: JobView,
  how: { waitS: number; onDisconnect: "cancel" | "detach"; closed: AbortSignal },
): Promise<JobView> {
  const record = await awaitRecord(deps, view.job_id, how).catch((error: unknown) => {
    // The job is accepted, whatever happened to Redis since.
    if (isRedisUnavailable(error)) return undefined;
    throw error;
  });
  if (!record) return view;
  if (how.closed.aborted && how.onDisconnect === "cancel" && !isFinalState(record.state)) {
    const { id, queueName, payload } = record;
    await cancelJob(deps.space, { id, queueName, tenant: tenantOf(payload) });
  }
  return jobView(record, true, await deps.forecasts.startOfJob(record));
}

async function awaitRecord(
  deps: JobDeps,
  id: string,
  { waitS, closed }: { waitS: number; closed: AbortSignal },
): Promise<JobRecord | undefined> {
  await waitForJob(deps, id, isFinalState, { ms: waitS * 1_000, signal: closed });
  return readJob(deps.space, deps.directory, id);
}
