import type { QueueSpace } from "../queues/queue-space.ts";

/**
 * When jobs are due to be ended by the clock: a sorted set of ids by time, in milliseconds of Redis's clock,
 * so that clocks of machines do not matter. Entries are hints: whoever acts on one reads the job first.
 */
export const deadlinesKey = (space: QueueSpace): string => space.key("deadlines");

/** Redis's clock, in milliseconds since 1970. */
export async function readRedisTimeMs(space: QueueSpace): Promise<number> {
  const [seconds = 0, micros = 0] = await space.client.time();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/** Moves the job's next deadline to `atMs`; earlier ones are forgotten. */
export async function setDeadline(space: QueueSpace, id: string, atMs: number): Promise<void> {
  await space.client.zadd(deadlinesKey(space), Math.round(atMs), id);
}

export async function clearDeadline(space: QueueSpace, ...ids: string[]): Promise<void> {
  if (ids.length > 0) await space.client.zrem(deadlinesKey(space), ...ids);
}

/** Ids whose deadline has passed, oldest first. */
export async function readDueDeadlines(space: QueueSpace, nowMs: number, limit: number): Promise<string[]> {
  return space.client.zrangebyscore(deadlinesKey(space), "-inf", nowMs, "LIMIT", 0, limit);
}
