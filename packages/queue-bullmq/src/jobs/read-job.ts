import { finalStateOf, type JobHash, type JobRecord, parseJobRecord } from "./job-record.ts";
import { locateJob } from "./locate-job.ts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";

/** The job with this id, or undefined when there is none (any more). One round trip once it has ended. */
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
// KEYS: job, prioritized, wait, delayed, active. ARGV: id. Returns nothing, or the hash as a flat list, and,
// unless it has ended, its state and how many run before it. Those in `wait` (taken from dead workers, or put
// without a priority) run before all others.
const readWithPlace = createLuaScript(`
local hash = redis.call("HGETALL", KEYS[1])
if #hash == 0 then return false end
if redis.call("HEXISTS", KEYS[1], "finishedOn") == 1 then return { hash } end
local rank = redis.call("ZRANK", KEYS[2], ARGV[1])
if rank then return { hash, "waiting", redis.call("LLEN", KEYS[3]) + rank } end
if redis.call("ZSCORE", KEYS[4], ARGV[1]) then return { hash, "delayed" } end
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
  const hash: JobHash = await space.client.hgetall(space.jobKey(queueName, id));
  // A key that holds only our own fields is what a removal and a late write left behind.
  if (hash["timestamp"] === undefined) return undefined;
  const state = finalStateOf(hash);
  return state ? parseJobRecord(id, queueName, hash, { state }) : readUnfinished(space, queueName, id);
}

async function readUnfinished(
  space: QueueSpace,
  queueName: string,
  id: string,
): Promise<JobRecord | undefined> {
  const keys = [id, "prioritized", "wait", "delayed", "active"].map((part) => space.jobKey(queueName, part));
  const reply = (await readWithPlace(space.client, keys, [id])) as Reply | null;
  const hash = reply && hashOf(reply[0]);
  if (!hash || hash["timestamp"] === undefined) return undefined;
  const [, state = finalStateOf(hash) ?? "waiting", position] = reply;
  return parseJobRecord(id, queueName, hash, { state, position });
}

/** As the script says. */
type Reply = [fields: string[], state?: "waiting" | "delayed" | "active", position?: number];

function hashOf(fields: readonly string[]): JobHash {
  const hash: Record<string, string> = {};
  for (let i = 0; i + 1 < fields.length; i += 2) hash[fields[i] ?? ""] = fields[i + 1] ?? "";
  return hash;
}
