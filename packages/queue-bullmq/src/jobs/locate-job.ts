import { queueTagOfJobId } from "@forebay/queue-contracts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";

export const movedKey = (space: QueueSpace, id: string): string => space.key("moved", id);

/** Remembers that a job now lives on another queue than the one its id names (redriven to another model). */
export async function recordMove(
  space: QueueSpace,
  id: string,
  queueName: string,
  ttlS: number,
): Promise<void> {
  await space.client.set(movedKey(space, id), queueName, "EX", ttlS);
}

/** Queues a job may be on, most likely first: the one its id names, then the one it was moved to. */
export async function* locateJob(
  space: QueueSpace,
  directory: QueueDirectory,
  id: string,
): AsyncGenerator<string> {
  const tag = queueTagOfJobId(id);
  if (tag === undefined) return;
  const home = await directory.nameOfTag(tag);
  if (home !== undefined) yield home;
  const moved = await space.client.get(movedKey(space, id));
  if (moved !== null) yield moved;
}
