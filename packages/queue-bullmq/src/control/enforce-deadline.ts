import type { Failure } from "@forebay/queue-contracts";
import { endWaitingJob } from "../jobs/end-waiting-job.ts";
import type { JobRecord } from "../jobs/job-record.ts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { readJob } from "../jobs/read-job.ts";
import { tenantOf } from "../consumer/record-final.ts";
import { clearDeadline, setDeadline } from "./deadlines.ts";
import { decideDeadline } from "./decide-deadline.ts";
import { requestStop } from "./request-stop.ts";

const failures = {
  expired: { code: "expired", message: "its start deadline passed before it could begin" },
  timed_out: { code: "timed_out", message: "it ran longer than its timeout_s" },
  cancelled: { code: "cancelled", message: "cancelled on request" },
} as const satisfies Record<string, Failure>;

/** How soon to look again at a job whose worker has been asked to stop it. Milliseconds. */
const stopCheckMs = 2_000;

/**
 * Ends a job whose time is up, also when no worker is alive to do so. Safe to repeat, and to do twice at once.
 *
 * @returns what it ended the job as; undefined: nothing, it has ended before or has time left
 */
export async function enforceDeadline(
  space: QueueSpace,
  directory: QueueDirectory,
  id: string,
  nowMs: number,
): Promise<keyof typeof failures | undefined> {
  const job = await readJob(space, directory, id);
  const decision = job ? decideDeadline(job, nowMs) : ({ kind: "forget" } as const);
  if (!job || decision.kind === "forget") {
    await clearDeadline(space, id);
    return undefined;
  }
  if (decision.kind === "wait") {
    await setDeadline(space, id, decision.untilMs);
    return undefined;
  }
  const answer = await endWaitingJob(space, placeOf(job), failures[decision.as], { orphans: true });
  if (answer === "ended") return decision.as;
  // A worker holds it and lives: it does the rest.
  if (answer === "running" && decision.as !== "expired") await requestStop(space, job, decision.as);
  await setDeadline(space, id, nowMs + stopCheckMs);
  return undefined;
}

const placeOf = (job: JobRecord) => ({
  id: job.id,
  queueName: job.queueName,
  tenant: tenantOf(job.payload),
});
