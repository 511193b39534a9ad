import { Job } from "bullmq";
import { startsLine } from "./starts.ts";
import type { QueueSpace } from "./queue-space.ts";
import { indexOpen } from "./tenant-index.ts";

/** The job is not in the failed set: it never failed, or somebody else put it back a moment ago. */
export class JobNotFailedError extends Error {
  readonly code = "job_not_failed";
  constructor(id: string) {
    super(`job ${id} is not in a state it could be put back from`);
  }
}

/**
 * Puts a job that ended without a result back on its queue: same id, attempts and worker losses counted from
 * zero, its history kept. Throws JobNotFailedError.
 */
export async function retryJob(
  space: QueueSpace,
  job: { id: string; queueName: string; tenant: string },
): Promise<void> {
  const queue = space.queue(job.queueName);
  const key = space.jobKey(job.queueName, job.id);
  const stored = await Job.fromId(queue, job.id);
  if (!stored?.finishedOn || !(await stored.isFailed())) throw new JobNotFailedError(job.id);
  // Before the move, since after it a worker may already hold the job. A crash in between leaves a failed job
  // with a clean slate, which is what this function would do again.
  const starts = (await space.client.hget(key, "starts")) ?? "";
  const fresh = startsLine({ fresh: true });
  if (!starts.endsWith(fresh)) await space.client.hset(key, "starts", starts + fresh);
  await space.client.hdel(key, "stc", "dl", "kept", "progress", "stacktrace");
  const pipeline = space.client.pipeline();
  indexOpen(pipeline, space, job.tenant, job.id);
  await pipeline.exec();
  try {
    await stored.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
  } catch (cause) {
    if (await stored.isFailed()) throw cause;
    throw Object.assign(new JobNotFailedError(job.id), { cause });
  }
}
