import { z } from "zod";
import { failureSchema } from "./failure.ts";
import { startRecordSchema } from "./job-state.ts";
import { jobIdSchema } from "./job-id.ts";

/**
 * `dead`: waits for somebody's decision. `parked`: kept for a person on purpose. `redriven`: put back on its
 * queue. `dropped`: given up; kept for the record until retention ends.
 */
export const deadLetterStateSchema = z
  .enum(["dead", "parked", "redriven", "dropped"])
  .describe(
    "`dead`: waits for a decision. `parked`: kept for a person. `redriven`: put back. `dropped`: given up.",
  );
export type DeadLetterState = z.infer<typeof deadLetterStateSchema>;

/** A job that failed for good, with everything needed to understand it and to run it again. */
export const deadLetterSchema = z.object({
  v: z.literal(1),
  job_id: jobIdSchema.describe("Also the id of the dead letter on its queue."),
  state: deadLetterStateSchema,
  queue: z.string().describe("The inference queue it failed on."),
  tenant: z.string(),
  type: z.string(),
  model: z.string(),
  lane: z.string(),
  failure: failureSchema,
  stack: z.array(z.string()).describe("Stack of the error as the worker saw it; empty when the worker died."),
  attempts: z.array(startRecordSchema).describe("Every start of the job, oldest first."),
  attempts_made: z.int().min(0).describe("How many of them counted."),
  fingerprint: z
    .string()
    .describe("Equal for failures of the same kind: code, model and the message without its numbers."),
  worker: z.string().nullable().describe("Who ran it last; null if nobody ever did."),
  created_at: z.iso.datetime(),
  first_failed_at: z.iso.datetime(),
  last_failed_at: z.iso.datetime(),
  redrives: z.int().min(0).describe("How often it was put back already."),
  payload: z.unknown().describe("The payload as it stood on the queue, whether it parses or not."),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** The BullMQ queue that keeps dead letters; each has the id of its job. */
export const deadLetterQueueName = "{dead-letters}";
