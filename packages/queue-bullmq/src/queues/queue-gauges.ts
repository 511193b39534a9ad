import type { QueueDirectory } from "./queue-directory.ts";
import type { QueueSpace } from "./queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { countHeldJobs } from "../scheduling/running-keys.ts";

export type QueueGauges = {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  /** Of those waiting, how many wait for others of their tenant to end, because it runs as many as it may. */
  readonly held: number;
  readonly completed: number;
  readonly failed: number;
  /** Age of the job that has waited longest, in seconds, those held apart; 0 when none waits. */
  readonly oldestWaitingS: number;
};

/** How full one queue is. */
export async function readQueueGauges(space: QueueSpace, queueName: string): Promise<QueueGauges> {
  const queue = space.queue(queueName);
  const [counts, oldestWaitingS, [held = 0]] = await Promise.all([
    queue.getJobCounts("waiting", "prioritized", "active", "delayed", "completed", "failed"),
    readOldestWaitingS(space, queueName),
    countHeldJobs(space, [queueName]),
  ]);
  const count = (state: string): number => counts[state] ?? 0;
  return {
    waiting: count("waiting") + count("prioritized") + held,
    active: count("active"),
    delayed: Math.max(0, count("delayed") - held),
    held,
    completed: count("completed"),
    failed: count("failed"),
    oldestWaitingS,
  };
}

// The first waiting job of every flow stands among the first of the queue: whoever waits longest is one of them,
// unless there are more flows than are looked at. KEYS: prioritized, wait. ARGV: key of a job without its id, most.
const oldestOfFirst = createLuaScript(`
local ids, oldest = redis.call("ZRANGE", KEYS[1], 0, ARGV[2] - 1), nil
local last = redis.call("LINDEX", KEYS[2], -1)
if last then ids[#ids + 1] = last end
for _, id in ipairs(ids) do
  local at = tonumber(redis.call("HGET", ARGV[1] .. id, "timestamp") or "")
  if at and (not oldest or at < oldest) then oldest = at end
end
return oldest and string.format("%.0f", oldest) or false
`);
const lookedAtMax = 200;

async function readOldestWaitingS(space: QueueSpace, queueName: string): Promise<number> {
  const keys = ["prioritized", "wait"].map((part) => space.jobKey(queueName, part));
  const at = await oldestOfFirst(space.client, keys, [space.jobKey(queueName, ""), lookedAtMax]);
  return at === null ? 0 : Math.max(0, (Date.now() - Number(at)) / 1_000);
}

/** Jobs that wait on all inference queues together. */
export async function countWaitingJobs(space: QueueSpace, directory: QueueDirectory): Promise<number> {
  const entries = await directory.list();
  const [held, ...counts] = await Promise.all([
    countHeldJobs(
      space,
      entries.map(({ name }) => name),
    ),
    ...entries.flatMap(({ name }) => [
      space.client.zcard(space.jobKey(name, "prioritized")),
      space.client.llen(space.jobKey(name, "wait")),
    ]),
  ]);
  return [...held, ...counts].reduce((sum, count) => sum + count, 0);
}

/** Jobs that wait on one queue and stand before a new one: without those that are held. */
export async function countWaitingOn(space: QueueSpace, queueName: string): Promise<number> {
  const [prioritized, wait] = await Promise.all([
    space.client.zcard(space.jobKey(queueName, "prioritized")),
    space.client.llen(space.jobKey(queueName, "wait")),
  ]);
  return prioritized + wait;
}
