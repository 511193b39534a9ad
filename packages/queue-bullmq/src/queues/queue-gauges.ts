import type { QueueDirectory } from "./queue-directory.ts";
import type { QueueSpace } from "./queue-space.ts";
import { type Lane, lanePriority } from "@forebay/queue-contracts";

export type QueueGauges = {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly completed: number;
  readonly failed: number;
  /** Age of the job that has waited longest, in seconds; 0 when none waits. */
  readonly oldestWaitingS: number;
};

/** How full one queue is. */
export async function readQueueGauges(space: QueueSpace, queueName: string): Promise<QueueGauges> {
  const queue = space.queue(queueName);
  const [counts, oldestWaitingS] = await Promise.all([
    queue.getJobCounts("waiting", "prioritized", "active", "delayed", "completed", "failed"),
    readOldestWaitingS(space, queueName),
  ]);
  const count = (state: string): number => counts[state] ?? 0;
  return {
    waiting: count("waiting") + count("prioritized"),
    active: count("active"),
    delayed: count("delayed"),
    completed: count("completed"),
    failed: count("failed"),
    oldestWaitingS,
  };
}

/** BullMQ's score of a priority: the priority in the upper bits, a counter in the lower 32. */
const scoreOf = (priority: number): number => priority * 0x100000000;

async function readOldestWaitingS(space: QueueSpace, queueName: string): Promise<number> {
  const prioritized = space.queue(queueName).toKey("prioritized");
  const heads = await Promise.all([
    // Within a priority jobs stand in order of arrival, so its head is its oldest.
    ...Object.values(lanePriority).map((priority) =>
      space.client.zrangebyscore(prioritized, scoreOf(priority), scoreOf(priority + 1), "LIMIT", 0, 1),
    ),
    space.client.lrange(space.queue(queueName).toKey("wait"), -1, -1),
  ]);
  const times = await Promise.all(
    heads.flat().map((id) => space.client.hget(space.jobKey(queueName, id), "timestamp")),
  );
  const oldest = Math.min(...times.filter((time) => time !== null).map(Number));
  return Number.isFinite(oldest) ? Math.max(0, (Date.now() - oldest) / 1_000) : 0;
}

/** Jobs that wait on all inference queues together. */
export async function countWaitingJobs(space: QueueSpace, directory: QueueDirectory): Promise<number> {
  const entries = await directory.list();
  const counts = await Promise.all(
    entries.flatMap(({ name }) => [
      space.client.zcard(space.jobKey(name, "prioritized")),
      space.client.llen(space.jobKey(name, "wait")),
    ]),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Jobs that wait on one queue. */
export async function countWaitingOn(space: QueueSpace, queueName: string): Promise<number> {
  const [prioritized, wait] = await Promise.all([
    space.client.zcard(space.jobKey(queueName, "prioritized")),
    space.client.llen(space.jobKey(queueName, "wait")),
  ]);
  return prioritized + wait;
}

/** Jobs with a lower score run before one that joins this lane now; as ZCOUNT wants it. */
export function laneEndScore(lane: Lane): string {
  return `(${scoreOf(lanePriority[lane] + 1)}`;
}
