import {
  enforceDeadline,
  type QueueDirectory,
  type QueueSpace,
  readDueDeadlines,
  readRedisTimeMs,
} from "@forebay/queue-bullmq";
import type { TimekeeperEvents } from "./events.ts";

const batchSize = 200;

/**
 * One look at the deadlines that have passed. Most jobs are ended by their worker in time; what is left here
 * are those nobody has picked up, and those whose worker is dead.
 *
 * @returns how many deadlines were looked at
 */
export async function sweepDeadlines(
  space: QueueSpace,
  directory: QueueDirectory,
  events: TimekeeperEvents,
): Promise<number> {
  const nowMs = await readRedisTimeMs(space);
  const ids = await readDueDeadlines(space, nowMs, batchSize);
  await Promise.all(
    ids.map(async (id) => {
      const ended = await enforceDeadline(space, directory, id, nowMs);
      if (ended) events.jobEnded(id, ended);
    }),
  );
  return ids.length;
}
