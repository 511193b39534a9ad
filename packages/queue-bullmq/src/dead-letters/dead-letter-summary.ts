import { type DeadLetter, deadLetterSchema } from "@forebay/queue-contracts";
import { z } from "zod";
import { isValidPayload } from "./describe-failed-job.ts";

/** A dead letter without its big parts: what lists, filters and groups are made of. Holds no prompt. */
export const deadLetterSummarySchema = deadLetterSchema
  .omit({ payload: true, stack: true, attempts: true })
  .extend({ payload_valid: z.boolean() });
export type DeadLetterSummary = z.infer<typeof deadLetterSummarySchema>;

export function summarise(letter: DeadLetter): DeadLetterSummary {
  const { payload, stack: _stack, attempts: _attempts, ...rest } = letter;
  return { ...rest, payload_valid: isValidPayload(payload) };
}
