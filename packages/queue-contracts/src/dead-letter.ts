import { z } from "zod";
import { failureSchema } from "./failure.ts";
import { startRecordSchema } from "./job-state.ts";
import { jobIdSchema } from "./job-id.ts";

/**
 * `dead`: waits for somebody's decision. `parked`: kept for a person on purpose. `redriven`: put back on its
 * queue. `dropped`: given up; kept for the record until retention ends.
 */
export const deadLetterStateSchema = z.enum(["dead", "parked", "redriven", "dropped"]);
export type DeadLetterState = z.infer<typeof deadLetterStateSchema>;

/** A job that failed for good, with everything needed to understand it and to run it again. */
export const deadLetterSchema = z.object({
  v: z.literal(1),
  job_id: jobIdSchema,
  state: deadLetterStateSchema,
  queue: z.string(),
  tenant: z.string(),
  type: z.string(),
  model: z.string(),
  lane: z.string(),
  failure: failureSchema,
  /** Stack of the error as the worker saw it; empty when the worker died. */
  stack: z.array(z.string()),
  /** Every start of the job, oldest first, with time, worker, backend and error. */
  attempts: z.array(startRecordSchema),
  attempts_made: z.int().min(0),
  /** Equal for failures of the same kind: code, model and the message without its numbers. */
  fingerprint: z.string(),
  worker: z.string().nullable(),
  created_at: z.iso.datetime(),
  first_failed_at: z.iso.datetime(),
  last_failed_at: z.iso.datetime(),
  /** How often it was put back already. */ redrives: z.int().min(0),
  /** The payload as it stood on the queue, parsed or not. */ payload: z.json(),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** The BullMQ queue that keeps dead letters; each has the id of its job. */
export const deadLetterQueueName = "{dead-letters}";
