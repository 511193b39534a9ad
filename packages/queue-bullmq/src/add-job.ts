import {
  deliveryOptions,
  type DeliveryPolicy,
  type InferenceJob,
  inferenceJobName,
} from "@forebay/queue-contracts";
import { addDeadline } from "./control/deadlines.ts";
import { indexOpen } from "./tenant-index.ts";
import type { QueueSpace } from "./queue-space.ts";

/**
 * Puts a job on its queue under an id chosen by the caller. An id that is there already is left as it is, so
 * the call can be repeated when nobody knows whether the first one was done.
 *
 * @param job already parsed with `inferenceJobSchema`
 * @returns when the job was made, as its record will say unless the id was there already
 */
export async function addJob(
  space: QueueSpace,
  add: {
    id: string;
    queueName: string;
    job: InferenceJob;
    attempts?: number | undefined;
    /** Milliseconds until it may begin. */
    delayMs?: number | undefined;
    policy: DeliveryPolicy;
  },
): Promise<Date> {
  const { id, queueName, job, attempts, delayMs, policy } = add;
  const pipeline = space.client.pipeline();
  // Indexed first: a job nobody can list is worse than an index entry without a job.
  indexOpen(pipeline, space, job.tenant, id);
  // Before the job, so that no job with a deadline goes unwatched.
  if (job.start_by !== undefined) addDeadline(pipeline, space, id, job.start_by);
  const [indexed, added] = await Promise.all([
    pipeline.exec(),
    space.queue(queueName).add(inferenceJobName, job, {
      jobId: id,
      ...(delayMs === undefined ? {} : { delay: delayMs }),
      ...deliveryOptions({ lane: job.lane, attempts }, policy),
    }),
  ]);
  for (const [error] of indexed ?? []) if (error) throw error;
  return new Date(added.timestamp);
}
