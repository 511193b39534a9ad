import type { ModelCosts } from "@forebay/scheduling";
import type { QueueSpace } from "../queues/queue-space.ts";

// What a dispatcher needs of fair shares. The rest of this folder keeps them.

/** What stands first on a queue. */
export type QueueHead = {
  readonly queueName: string;
  /** Jobs that could start now: BullMQ's `prioritized` and `wait`. */
  readonly waiting: number;
  /** undefined: none waits. */
  readonly first:
    | {
        readonly id: string;
        /**
         * Its start tag in ticks, comparable over all queues; lower goes first. 0: it was taken back from a
         * dead worker or has no tag yet, and goes before all others.
         */
        readonly tag: number;
        /** When it was put, ms since 1970. */ readonly sinceMs: number;
      }
    | undefined;
};

/**
 * Reads the heads of these queues, in their order: one pipeline, one short script for each queue, which is also
 * where jobs put by strangers or due after a delay get their tags. BullMQ's next fetch of a queue gets what is
 * its head then.
 */
export type ReadHeads = (space: QueueSpace, queueNames: readonly string[]) => Promise<QueueHead[]>;

/**
 * Notes that a job was taken from its queue: virtual time moves to its tag, and the queue's new head is made
 * the one that fairness among the users of its tenant wants. `openDelivery` of this package calls it for every
 * start, so a dispatcher that goes through `openDelivery` must not. Harmless when repeated.
 */
export type NoteDispatch = (space: QueueSpace, job: { id: string; queueName: string }) => Promise<void>;

/** What was learned of each model, by canonical name; `swapTicks(costs.loadMs)` is a swap's cost in ticks. */
export type ReadModelCosts = (
  space: QueueSpace,
  models: readonly string[],
) => Promise<ReadonlyMap<string, ModelCosts>>;

/**
 * Forgets who used how much, when nothing waits or runs on any of these queues. For a loop that runs every few
 * seconds; true: it was so.
 */
export type ResetWhenIdle = (space: QueueSpace, queueNames: readonly string[]) => Promise<boolean>;
