import {
  deliveryOptions,
  type DeliveryPolicy,
  type InferenceJob,
  inferenceJobName,
} from "@forebay/queue-contracts";
import { setDeadline } from "../control/deadlines.ts";
import { recordOpen } from "./tenant-index.ts";
import type { QueueSpace } from "../queues/queue-space.ts";

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
    /** When it was made; default now. */
    createdAt?: Date | undefined;
    policy: DeliveryPolicy;
  },
): Promise<Date> {
  const { id, queueName, job, attempts, delayMs, createdAt, policy } = add;
  // Commands of one tick leave together and in this order, so these cost no round trip of their own.
  const [, , added] = await Promise.all([
    // Indexed first: a job nobody can list is worse than an index entry without a job.
    recordOpen(space, job.tenant, id),
    // Before the job, so that no job with a deadline goes unwatched.
    job.start_by === undefined ? undefined : setDeadline(space, id, job.start_by),
    space.queue(queueName).add(inferenceJobName, job, {
      jobId: id,
      ...(delayMs === undefined ? {} : { delay: delayMs }),
      ...(createdAt === undefined ? {} : { timestamp: createdAt.getTime() }),
      ...deliveryOptions({ lane: job.lane, attempts }, policy),
    }),
  ]);
  return new Date(added.timestamp);
}
