import type { JobRecord } from "../jobs/job-record.ts";
import { listOpenJobs, type OpenJobs } from "../jobs/list-open-jobs.ts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { cancelJob } from "./cancel-job.ts";
import { tenantOf } from "../consumer/record-final.ts";

export type CancelCounts = {
  /** Jobs that matched when they were read. */
  readonly matched: number;
  /** Ended now, having waited. */
  readonly cancelled: number;
  /** Running; their workers have been told. */
  readonly stopping: number;
  /** There were as many as were asked for, and there may be more. */
  readonly more: boolean;
};

/**
 * Cancels all jobs that match, at most `limit`; those that end by themselves meanwhile stand. `dryRun`: only counts
 * them. Jobs that are put meanwhile may be missed.
 */
export async function cancelJobs(
  space: QueueSpace,
  directory: QueueDirectory,
  query: OpenJobs & { matches: (job: JobRecord) => boolean; limit: number; dryRun: boolean },
): Promise<CancelCounts> {
  let matched = 0;
  const answers: string[] = [];
  for await (const jobs of listOpenJobs(space, directory, query)) {
    const wanted = jobs.filter(query.matches);
    const chosen = wanted.slice(0, query.limit - matched);
    matched += chosen.length;
    if (!query.dryRun) answers.push(...(await Promise.all(chosen.map((job) => cancel(space, job)))));
    if (chosen.length < wanted.length) return { ...countsOf(matched, answers), more: true };
  }
  return { ...countsOf(matched, answers), more: false };
}

const cancel = (space: QueueSpace, { id, queueName, payload }: JobRecord) =>
  cancelJob(space, { id, queueName, tenant: tenantOf(payload) });

function countsOf(matched: number, answers: readonly string[]): Omit<CancelCounts, "more"> {
  const count = (answer: string): number => answers.filter((each) => each === answer).length;
  return { matched, cancelled: count("cancelled"), stopping: count("stopping") };
}
