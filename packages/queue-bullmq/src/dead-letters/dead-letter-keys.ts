import { deadLetterQueueName, type DeadLetterState } from "@forebay/queue-contracts";
import type { QueueSpace } from "../queues/queue-space.ts";

export const deadLetterStates = [
  "dead",
  "parked",
  "redriven",
  "dropped",
] as const satisfies readonly DeadLetterState[];

/**
 * Where dead letters are. All keys share the queue's hash tag, so that one script may touch them together.
 *
 * - `letter`: the BullMQ job of a letter. Beside BullMQ's own fields: `rev`, which rises with every write,
 *   `summary` (the letter without its big parts) and `marks` (the actions that changed it last).
 * - `failed`: BullMQ's set. The letters stand there, where Bull Board shows their failure and where no
 *   worker, opened on this queue by mistake, would take them.
 * - `byTime`, `inState`: our indexes, scored by the time of the last failure.
 * - `due`: letters to be redriven by policy, scored by when.
 * - `erased`: for some minutes after a letter was erased, so that a sweep under way does not write it again.
 */
export function deadLetterKeys(space: QueueSpace) {
  const queue = space.queue(deadLetterQueueName);
  return {
    letter: (id: string): string => queue.toKey(id),
    failed: queue.toKey("failed"),
    byTime: queue.toKey("by-time"),
    inState: (state: DeadLetterState): string => queue.toKey(`state-${state}`),
    due: queue.toKey("due"),
    erased: (id: string): string => queue.toKey(`erased-${id}`),
  };
}
