import {
  affinityOf,
  createJobId,
  deliveryOptions,
  type InferenceJob,
  inferenceJobName,
  inferenceJobSchema,
  queueDirectoryChannel,
  queueDirectoryKey,
  queueEntry,
} from "@forebay/queue-contracts";
import { type Job, Queue } from "bullmq";
import type { Redis } from "ioredis";

/** Where Forebay's queues are: its Redis, and its FOREBAY_KEY_PREFIX. */
export type Place = { readonly redis: Redis; readonly prefix: string };

export type PutJob = { readonly job: Job; readonly queueName: string };

/** Puts one question on the queue of its model. Throws ZodError, before anything is written. */
export async function putJob(place: Place, question: string, model: string): Promise<PutJob> {
  const { redis, prefix } = place;
  const payload: InferenceJob = inferenceJobSchema.parse({
    v: 1,
    type: "generate",
    tenant: "reports",
    model,
    request: { prompt: question, options: { num_ctx: 8_192 } },
  });

  const { tag, entry } = queueEntry(affinityOf({ model, options: payload.request.options }));
  if ((await redis.hsetnx(queueDirectoryKey(prefix), tag, JSON.stringify(entry))) === 1) {
    await redis.publish(queueDirectoryChannel(prefix), tag);
  }

  // The queue's settings are Forebay's: without skipMetasUpdate BullMQ would write its own defaults over them.
  const queue = new Queue(entry.name, { connection: redis, prefix, skipMetasUpdate: true });
  try {
    const options = { ...deliveryOptions(payload), jobId: createJobId(tag) };
    return { job: await queue.add(inferenceJobName, payload, options), queueName: entry.name };
  } finally {
    await queue.close();
  }
}
