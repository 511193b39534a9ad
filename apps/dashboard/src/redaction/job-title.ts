import { deadLetterCommandSchema } from "@forebay/queue-bullmq";
import { deadLetterSchema, inferenceJobSchema } from "@forebay/queue-contracts";
import { z } from "zod";

const tickSchema = z.strictObject({ schedule: z.string().regex(/^sch_[0-9a-z]{20}$/) });

/** One line that names a job in lists, from its payload; nothing of what it asks. */
export function jobTitle(data: unknown): string {
  const job = inferenceJobSchema.safeParse(data).data;
  if (job) return `${job.type} · ${job.tenant} · ${job.lane}`;
  const letter = deadLetterSchema.safeParse(data).data;
  if (letter) return `${letter.failure.code} · ${letter.state}`;
  const command = deadLetterCommandSchema.safeParse(data).data;
  if (command) return command.action;
  const tick = tickSchema.safeParse(data).data;
  return tick ? `tick of ${tick.schedule}` : "payload of no known kind";
}
