import { clearDeadline } from "../control/deadlines.ts";
import { announceChange } from "../token-log/live-channel.ts";
import { logKey } from "../token-log/log-entry.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { giveBackShare } from "../scheduling/give-back-share.ts";
import { indexRemoved } from "./tenant-index.ts";

/** Erases a job with its payload and result. False: a worker holds it; cancel it first. */
export async function removeJob(
  space: QueueSpace,
  job: { id: string; queueName: string; tenant: string },
): Promise<boolean> {
  const key = space.jobKey(job.queueName, job.id);
  // Before the job, with what it has asked for, is gone.
  await giveBackShare(space, job);
  // BullMQ answers 1 for a missing job too, and 0 only for a locked one.
  if ((await space.queue(job.queueName).remove(job.id)) === 0) return false;
  const pipeline = space.client.pipeline();
  pipeline.unlink(key, logKey(key));
  pipeline.unlink(space.key("moved", job.id));
  announceChange(pipeline, space, job.id);
  indexRemoved(pipeline, space, job.tenant, job.id);
  await Promise.all([pipeline.exec(), clearDeadline(space, job.id)]);
  return true;
}
