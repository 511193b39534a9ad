import type { QueueSpace } from "../queues/queue-space.ts";

/**
 * How many jobs of a tenant may run at once: `<prefix>:running` holds the limits by tenant, and
 * `<prefix>:running:of:<tenant>` which jobs of one that has a limit run (`<queue> <id>`, by when their lock was last
 * seen, ms).
 *
 * Which of its jobs are held: `<prefix>:held` counts them by tenant (`t:<tenant>`) and by queue (`n:<queue>`);
 * `<prefix>:held:of:<tenant>` are the queues, `…:<queue>` the ids in their order, and
 * `<prefix>:held:out:<tenant>:<queue>` those that were let go and not taken yet. Scripts make these names of the prefix.
 */
export const heldKey = (space: QueueSpace): string => space.key("held");

/** Jobs held on each of these queues. */
export async function countHeldJobs(space: QueueSpace, queueNames: readonly string[]): Promise<number[]> {
  if (queueNames.length === 0) return [];
  const counts = await space.client.hmget(heldKey(space), ...queueNames.map((name) => `n:${name}`));
  return counts.map((count) => Number(count ?? 0));
}
