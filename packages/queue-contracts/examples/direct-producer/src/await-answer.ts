import {
  type FailureCode,
  type InferenceResult,
  inferenceResultSchema,
  parseFailedReason,
} from "@forebay/queue-contracts";
import { Queue, QueueEvents } from "bullmq";
import type { Place, PutJob } from "./put-job.ts";

export class JobFailedError extends Error {
  readonly code: FailureCode;
  constructor(reason: string) {
    const { code, message } = parseFailedReason(reason);
    super(message);
    this.code = code;
  }
}

/** The result of a job that was put; waits for it up to `timeoutMs`. Throws JobFailedError. */
export async function awaitAnswer(place: Place, put: PutJob, timeoutMs: number): Promise<InferenceResult> {
  const { redis: connection, prefix } = place;
  const queue = new Queue(put.queueName, { connection, prefix, skipMetasUpdate: true });
  const events = new QueueEvents(put.queueName, { connection, prefix });
  try {
    await events.waitUntilReady();
    const job = await queue.getJob(String(put.job.id));
    if (!job) throw new Error("The job was removed.");
    // Also looks at the job itself: an event that came before we listened is not missed.
    const value: unknown = await job.waitUntilFinished(events, timeoutMs).catch(async (error: unknown) => {
      const failed = await queue.getJob(String(job.id));
      throw failed?.finishedOn ? new JobFailedError(failed.failedReason) : error;
    });
    return inferenceResultSchema.parse(value);
  } finally {
    await events.close();
    await queue.close();
  }
}
