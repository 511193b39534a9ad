import { deadLetterSchema, inferenceJobSchema } from "@forebay/queue-contracts";

/** One line that names a job in lists, from its payload; nothing of what it asks. */
export function jobTitle(data: unknown): string {
  const job = inferenceJobSchema.safeParse(data).data;
  if (job) return `${job.type} · ${job.tenant} · ${job.lane}`;
  const letter = deadLetterSchema.safeParse(data).data;
  if (letter) return `${letter.failure.code} · ${letter.state}`;
  return "payload that does not parse";
}
