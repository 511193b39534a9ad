import { type BatchStore, enqueueBatch, type QueueSpace } from "@forebay/queue-bullmq";
import type { RunnerEvents } from "../events.ts";

/**
 * Asks again for every batch that is not over to be run: the API may have died between writing one and asking.
 * Also counts them.
 */
export async function watchOpenBatches(
  space: QueueSpace,
  batches: BatchStore,
  events: RunnerEvents,
): Promise<void> {
  const ids = await batches.listOpen();
  const open = (await Promise.all(ids.map((id) => batches.find(id)))).filter((each) => each !== undefined);
  for (const { id } of open) await enqueueBatch(space, id);
  const oldest = Math.min(...open.map((each) => each.created_at));
  const statuses = open.map((each) => each.status);
  events.batchesSeen(statuses, open.length === 0 ? 0 : Math.max(0, Date.now() / 1_000 - oldest));
}
