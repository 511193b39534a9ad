import { addJob, type QueueSpace } from "@forebay/queue-bullmq";
import {
  affinityOf,
  createJobId,
  defaultDeliveryPolicy,
  inferenceJobSchema,
  queueTag,
} from "@forebay/queue-contracts";

type Generation = {
  readonly tenant?: string;
  readonly model: string;
  readonly request: {
    readonly prompt: string;
    readonly options?: { readonly num_predict: number; readonly seed: number };
  };
};

/** Puts a generation on its model's queue, as another service would; returns the job's id. */
export async function putGeneration(
  space: QueueSpace,
  queueName: string,
  { tenant = "bench", model, request }: Generation,
): Promise<string> {
  const id = createJobId(queueTag(affinityOf({ model })));
  const job = inferenceJobSchema.parse({ v: 1, type: "generate", tenant, model, request });
  await addJob(space, { id, queueName, job, policy: defaultDeliveryPolicy });
  return id;
}
