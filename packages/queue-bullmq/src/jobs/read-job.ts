import { endedRecords } from "./ended-records.ts";
import { finalStateOf, type JobHash, type JobRecord, parseJobRecord, recordFields } from "./job-record.ts";
import { fairKeys } from "../scheduling/fair-keys.ts";
import { fairLua } from "../scheduling/fair-lua.ts";
import { type LimitStanding, limitStandingLua } from "../scheduling/limit-standing.ts";
import { locateJob } from "./locate-job.ts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";

/** The job with this id, or undefined when there is none (any more), or it is no id. One round trip once it has ended. */
export async function readJob(
  space: QueueSpace,
  directory: QueueDirectory,
  id: string,
): Promise<JobRecord | undefined> {
  for await (const queueName of locateJob(space, directory, id)) {
    const record = await readJobOn(space, queueName, id);
    if (record) return record;
  }
  return undefined;
}

// The hash and the place at one moment: read one after the other they may not belong together.
// KEYS: job, prioritized, wait, delayed, active, the two of fair shares. ARGV: id, queue, prefix with a colon.
// Returns nothing, or `recordFields`, and, unless it has ended, its state, how many run before it, its tag, and how its
// tenant's limit bears on it. Those in `wait` (taken from dead workers, or put without a priority) run before all others.
const readWithPlace = createLuaScript(`
local hash = redis.call("HMGET", KEYS[1], ${recordFields.map((field) => `"${field}"`).join(", ")})
if not hash[${recordFields.indexOf("timestamp") + 1}] then return false end
if hash[${recordFields.indexOf("finishedOn") + 1}] then return { hash } end
local score = redis.call("ZSCORE", KEYS[2], ARGV[1])
if score then
  ${fairLua("KEYS[6]", "KEYS[7]")}
  local rank, tag = place_of(KEYS[2], KEYS[1], ARGV[2], ARGV[1], tonumber(score))
  ${limitStandingLua}
  local standing = limit_standing(ARGV[3], redis.call("HGET", KEYS[1], "share"))
  return { hash, "waiting", redis.call("LLEN", KEYS[3]) + rank, string.format("%.0f", tag), standing }
end
if redis.call("ZSCORE", KEYS[4], ARGV[1]) then
  if redis.call("HEXISTS", KEYS[1], "held") == 1 then return { hash, "waiting", 0, "0", "met" } end
  return { hash, "delayed" }
end
if redis.call("LPOS", KEYS[5], ARGV[1]) then return { hash, "active" } end
return { hash, "waiting", 0 }
`);

export async function readJobOn(
  space: QueueSpace,
  queueName: string,
  id: string,
): Promise<JobRecord | undefined> {
  // One that has ended says so itself and does not change: the plain reading is the cheaper one, and it is
  // what most are asked for again and again.
  const key = space.jobKey(queueName, id);
  const values = await space.client.hmget(key, ...recordFields);
  const ended = endedRecords(space);
  const known = ended.find(key, values);
  if (known) return known;
  const hash = hashOf(values);
  // A key that holds only our own fields is what a removal and a late write left behind.
  if (hash["timestamp"] === undefined) return undefined;
  const state = finalStateOf(hash);
  if (!state) return readUnfinished(space, queueName, id);
  const record = parseJobRecord(id, queueName, hash, { state });
  ended.keep(key, values, record);
  return record;
}

async function readUnfinished(
  space: QueueSpace,
  queueName: string,
  id: string,
): Promise<JobRecord | undefined> {
  const parts = [id, "prioritized", "wait", "delayed", "active"];
  const { fair, flows } = fairKeys(space);
  const keys = [...parts.map((part) => space.jobKey(queueName, part)), fair, flows];
  const args = [id, queueName, `${space.prefix}:`];
  const reply = (await readWithPlace(space.client, keys, args)) as Reply | null;
  const hash = reply && hashOf(reply[0]);
  if (!hash || hash["timestamp"] === undefined) return undefined;
  const [, state = finalStateOf(hash) ?? "waiting", position, tag, standing] = reply;
  const place = standing === "met" ? {} : { position, tag: Number(tag ?? 0) };
  return parseJobRecord(id, queueName, hash, { state, ...place, standing });
}

/** As the script says. */
type Reply = [
  fields: (string | null)[],
  state?: "waiting" | "delayed" | "active",
  position?: number,
  tag?: string,
  standing?: LimitStanding,
];

function hashOf(values: readonly (string | null)[]): JobHash {
  const hash: Record<string, string> = {};
  for (const [index, field] of recordFields.entries()) {
    const value = values[index];
    if (typeof value === "string") hash[field] = value;
  }
  return hash;
}
