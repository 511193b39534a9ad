import { createHash } from "node:crypto";
import { affinityOf, type InferenceJob, jobIdOf, queueTag } from "@forebay/queue-contracts";
import type { BatchRecord } from "@forebay/queue-bullmq";
import { z } from "zod";

/** A line that was taken: all it needs to go on in another process, but its body, which is in the input file. */
export const takenLineSchema = z.object({
  index: z.int(),
  line: z.int(),
  offset: z.int(),
  length: z.int(),
  customId: z.string(),
  jobId: z.string(),
  /** undefined: the endpoint refuses the body; `refusal` says why. */
  form: z.object({ model: z.string(), base64: z.boolean() }).optional(),
  queueName: z.string().optional(),
  refusal: z
    .object({
      status: z.int(),
      message: z.string(),
      code: z.string().optional(),
      param: z.string().optional(),
    })
    .optional(),
});
export type TakenLine = z.infer<typeof takenLineSchema>;

/** The id of a line's job follows from batch and line: however often it is put, it is one job. */
export function lineJobId(batch: BatchRecord, index: number, job: InferenceJob | undefined): string {
  const digest = createHash("sha256").update(`${batch.id} ${index}`).digest();
  const affinity = affinityOf({ model: job?.model ?? "none", options: job?.request.options });
  return jobIdOf(queueTag(affinity), batch.created_at * 1_000, digest);
}
