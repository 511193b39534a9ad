import type { QueueSpace } from "./queue-space.ts";
import { wakeConsumers } from "./wake-consumers.ts";
import type { WorkerLease } from "./worker-registry.ts";

/**
 * How many jobs of a model all workers together may run: the slots of every host that has it, each host
 * counted once however many workers serve it.
 */
export function slotsOfModel(leases: readonly WorkerLease[], model: string): number {
  const slots = new Map<string, number>();
  for (const backend of leases.flatMap((lease) => lease.backends)) {
    if (backend.models.some(({ name }) => name === model)) slots.set(backend.name, backend.slots);
  }
  return [...slots.values()].reduce((sum, each) => sum + each, 0);
}

/** Sets how many jobs of a queue may run at once over all workers; BullMQ enforces it. */
export async function limitRunning(space: QueueSpace, queueName: string, max: number): Promise<void> {
  await space.queue(queueName).setGlobalConcurrency(Math.max(1, max));
  // Should it be more than before, somebody may take a job now.
  await wakeConsumers(space, queueName);
}
