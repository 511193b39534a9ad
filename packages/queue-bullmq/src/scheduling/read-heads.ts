import { tagFloor, tagOfScore } from "@forebay/scheduling";
import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys } from "./fair-keys.ts";
import { fairLua } from "./fair-lua.ts";
import { tagUntagged } from "./tag-untagged.ts";

/** What stands first on a queue. */
export type FairHead = {
  readonly queueName: string;
  /** Jobs that could start now: BullMQ's `prioritized` and `wait`. */
  readonly waiting: number;
  /** undefined: none waits. */
  readonly first:
    | {
        readonly id: string;
        /**
         * Its start tag in ticks, comparable over all queues; lower goes first. 0: it was taken back from a
         * dead worker or cannot be parsed, and goes before all others.
         */
        readonly tag: number;
        /** When it was put, ms since 1970. */ readonly sinceMs: number;
      }
    | undefined;
};

// KEYS: prioritized, wait, the two of fair shares. ARGV: prefix with a colon, queue. Returns how many wait, then id, score
// ("0" from `wait`) and time of the first.
const script = createLuaScript(`
local root, queue = ARGV[1], ARGV[2]
local taken_back = redis.call("LLEN", KEYS[2])
local waiting = taken_back + redis.call("ZCARD", KEYS[1])
if waiting == 0 then return { 0 } end
local id, score
if taken_back > 0 then
  id, score = redis.call("LINDEX", KEYS[2], -1), "0"
else
  ${fairLua("KEYS[3]", "KEYS[4]")}
  prepare_head(root, queue)
  local head = redis.call("ZRANGE", KEYS[1], 0, 0, "WITHSCORES")
  id, score = head[1], head[2]
end
return { waiting, id, score, redis.call("HGET", root .. queue .. ":" .. id, "timestamp") or "0",
  redis.call("HEXISTS", root .. queue .. ":" .. id, "share") }
`);

/**
 * Reads the heads of these queues, in their order: one short script each, all in one write. It is also where jobs
 * that were put by strangers, or are due after a delay, get their tags, and where each head is made the one
 * that should run next: BullMQ's next fetch of the queue gets it.
 */
export function readHeads(space: QueueSpace, queueNames: readonly string[]): Promise<FairHead[]> {
  return Promise.all(queueNames.map((name) => readHead(space, name)));
}

async function readHead(space: QueueSpace, queueName: string): Promise<FairHead> {
  const [waiting, first, tagged] = await readOnce(space, queueName);
  if (first === undefined || tagged || (await tagUntagged(space, queueName)) === 0) {
    return { queueName, waiting, first };
  }
  const [stillWaiting, next] = await readOnce(space, queueName);
  return { queueName, waiting: stillWaiting, first: next };
}

type Reading = [waiting: number, first: FairHead["first"], tagged: boolean];

async function readOnce(space: QueueSpace, queueName: string): Promise<Reading> {
  const { fair, flows } = fairKeys(space);
  const key = (part: string): string => space.jobKey(queueName, part);
  const reply = (await script(
    space.client,
    [key("prioritized"), key("wait"), fair, flows],
    [`${space.prefix}:`, queueName],
  )) as [number, string, string, string, number] | [0];
  if (reply.length === 1) return [0, undefined, true];
  const [waiting, id, score, at, share] = reply;
  const tag = tagOfScore(Number(score));
  return [waiting, { id, tag: tag < tagFloor ? 0 : tag, sinceMs: Number(at) }, share === 1];
}
