import type { QueueSpace } from "./queue-space.ts";

/**
 * Wakes an idle consumer of the queue, if there is one, to look for a job now; it finds the next one awake when
 * it has taken one. This is BullMQ's own base marker, which it leaves out where a job is put back to the front of
 * its priority or a place becomes free: idle consumers would notice after `drainDelay` (5 s).
 */
export async function wakeConsumers(space: QueueSpace, queueName: string): Promise<void> {
  await space.client.zadd(space.jobKey(queueName, "marker"), 0, "0");
}
