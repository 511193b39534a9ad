import { addJob, createQueueDirectory, type QueueSpace } from "@forebay/queue-bullmq";
import {
  affinityOf,
  createJobId,
  defaultDeliveryPolicy,
  inferenceJobSchema,
  queueTag,
} from "@forebay/queue-contracts";
import { model } from "../systems/start-forebay.ts";

/** Jobs of the benchmark's tenant that wait for a worker nobody starts. */
export async function addWaitingJobs(
  space: QueueSpace,
  count: number,
): Promise<{ id: string; queueName: string }[]> {
  const affinity = affinityOf({ model });
  const queueName = await createQueueDirectory(space).ensure(affinity);
  const request = { prompt: "Why is the sky blue?" };
  const job = inferenceJobSchema.parse({ v: 1, type: "generate", tenant: "bench", model, request });
  const jobs: { id: string; queueName: string }[] = [];
  for (let from = 0; from < count; from += 200) {
    const batch = Array.from({ length: Math.min(200, count - from) }, () => ({
      id: createJobId(queueTag(affinity)),
      queueName,
    }));
    await Promise.all(batch.map((place) => addJob(space, { ...place, job, policy: defaultDeliveryPolicy })));
    jobs.push(...batch);
  }
  return jobs;
}
