import {
  addJob,
  createQueueDirectory,
  openConsumer,
  type Outcome,
  type QueueSpace,
} from "@forebay/queue-bullmq";
import {
  affinityOf,
  createJobId,
  defaultDeliveryPolicy,
  inferenceJobSchema,
  type InferenceResult,
  queueTag,
} from "@forebay/queue-contracts";

export type PutJob = { id: string; queueName: string; title: string };

/** A job as the API would put it: on the queue of its model, which joins the directory. */
export async function putJob(
  space: QueueSpace,
  job: { model?: string; prompt?: string; options?: object; user?: string; metadata?: object } = {},
): Promise<PutJob> {
  const { model = "llama3.2:3b", prompt = "Why is the sky blue?", options, ...more } = job;
  const request = { prompt, ...(options && { options }) };
  const parsed = inferenceJobSchema.parse({
    v: 1,
    type: "generate",
    tenant: "acme",
    model,
    request,
    ...more,
  });
  const affinity = affinityOf({ model, options: parsed.request.options });
  const queueName = await createQueueDirectory(space).ensure(affinity);
  const id = createJobId(queueTag(affinity));
  await addJob(space, { id, queueName, job: parsed, policy: defaultDeliveryPolicy });
  return { id, queueName, title: model };
}

/** Ends the jobs that wait on the queue, each as `outcome` says of its prompt. */
export async function runJobs(
  space: QueueSpace,
  queueName: string,
  count: number,
  outcome: (payload: string) => Outcome,
): Promise<void> {
  const ended = Promise.withResolvers<void>();
  let left = count;
  const consumer = openConsumer(space, {
    queueName,
    concurrency: 1,
    worker: "box-1",
    policy: defaultDeliveryPolicy,
    lockMs: 30_000,
    stalledCheckMs: 30_000,
    on: { stalled: () => undefined, lockLost: () => undefined, error: () => undefined },
    async handle(delivery) {
      await delivery.recordBackend("gpu-1");
      await delivery.reportProgress(7);
      if (--left === 0) ended.resolve();
      return { outcome: outcome(JSON.stringify(delivery.payload)), gpuMs: 100 };
    },
  });
  await ended.promise;
  // Waits for what runs: the last job is recorded when this returns.
  await consumer.close(AbortSignal.timeout(10_000));
}

export function answerOf(response: string): InferenceResult {
  return {
    v: 1,
    type: "generate",
    model: "llama3.2:3b",
    backend: "gpu-1",
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, gpu_ms: 100 },
    total_duration_ms: 100,
    load_duration_ms: 0,
    prompt_eval_count: 3,
    done_reason: "stop",
    eval_count: 4,
    prompt_eval_duration_ms: 10,
    eval_duration_ms: 80,
    response,
  };
}
