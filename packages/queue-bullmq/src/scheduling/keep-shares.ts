import type { QueueSpace } from "../queues/queue-space.ts";
import { keepRunning } from "./keep-running.ts";
import { resetWhenIdle } from "./reset-when-idle.ts";
import { tagUntagged } from "./tag-untagged.ts";

/**
 * What fair shares need every few seconds, done by any number of processes: jobs without a place get one, what limits
 * of running jobs missed is made good, and what was used is forgotten when nothing waits or runs.
 *
 * @param queueNames all queues
 */
export async function keepShares(space: QueueSpace, queueNames: readonly string[]): Promise<void> {
  if (await resetWhenIdle(space, queueNames)) return;
  await Promise.all([keepRunning(space, queueNames), ...queueNames.map((name) => tagUntagged(space, name))]);
}
