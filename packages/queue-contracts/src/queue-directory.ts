import { z } from "zod";
import { type Affinity, inferenceQueueName, queueTag } from "./affinity.ts";
import { modelOptionsSchema } from "./model-options.ts";

/**
 * One entry of the directory of inference queues: a Redis hash at `<prefix>:queues`, field = queue tag,
 * value = this as JSON. Workers read it to know what to consume, the dashboard what to show. A producer
 * writes an entry before it adds the first job of a queue; queues of plain model names are already there.
 */
export const queueEntrySchema = z.object({
  name: z.string().describe("Name of the BullMQ queue."),
  model: z.string().describe("Canonical model name, always with a tag."),
  runner: modelOptionsSchema.describe("The runner options all jobs of this queue have; mostly none."),
});
export type QueueEntry = z.infer<typeof queueEntrySchema>;

export const queueDirectoryKey = (prefix: string): string => `${prefix}:queues`;

/** Published with any text when the directory grew, so that workers need not wait for their next look. */
export const queueDirectoryChannel = (prefix: string): string => `${prefix}:queues:changed`;

export function queueEntry(affinity: Affinity): { tag: string; entry: QueueEntry } {
  return {
    tag: queueTag(affinity),
    entry: { name: inferenceQueueName(affinity), model: affinity.model, runner: affinity.runner },
  };
}
