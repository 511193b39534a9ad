import { finalStateOf, type JobHash, type JobRecord, parseJobRecord, recordFields } from "./job-record.ts";
import { fairKeys } from "../scheduling/fair-keys.ts";
import { fairLua } from "../scheduling/fair-lua.ts";
import { locateJob } from "./locate-job.ts";
import { groupCalls } from "../redis/group-calls.ts";
import { createLuaScript } from "../redis/lua.ts";
import { isRedisUnavailable } from "../redis/redis-errors.ts";
import { perSpace } from "../queues/per-space.ts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";

/** The job with this id, or undefined when there is none (any more). One round trip. */
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

// The hash and the place at one moment: read one after the other they may not belong together. Those in `wait` (taken from
// dead workers, or put without a priority) run before all others. What is asked of a place is defined where one is asked
// for: most jobs that are read have ended.
// KEYS: the two of fair shares. ARGV: prefix with a colon, then queue and id of each job. Returns of each `recordFields`, then,
// unless it has ended, its state, how many run before it, and its tag.
const readWithPlaces = createLuaScript(`
local function place_in_line(queue, id, prioritized, key, score)
  ${fairLua("KEYS[1]", "KEYS[2]")}
  return place_of(prioritized, key, queue, id, tonumber(score))
end
local jobs = {}
for i = 2, #ARGV, 2 do
  local queue, id = ARGV[i], ARGV[i + 1]
  local root = ARGV[1] .. queue .. ":"
  local job = redis.call("HMGET", root .. id, ${recordFields.map((field) => `"${field}"`).join(", ")})
  if job[${recordFields.indexOf("timestamp") + 1}] and not job[${recordFields.indexOf("finishedOn") + 1}] then
    local state, ahead, tag = "waiting", 0, "0"
    local score = redis.call("ZSCORE", root .. "prioritized", id)
    if score then
      local rank, its_tag = place_in_line(queue, id, root .. "prioritized", root .. id, score)
      ahead, tag = redis.call("LLEN", root .. "wait") + rank, string.format("%.0f", its_tag)
    elseif redis.call("ZSCORE", root .. "delayed", id) then state = "delayed"
    elseif redis.call("LPOS", root .. "active", id) then state = "active" end
    job[#job + 1], job[#job + 2], job[#job + 3] = state, ahead, tag
  end
  jobs[#jobs + 1] = job
end
return jobs
`);

/** As the script says: what is in a row after the fields. */
type Place = [state?: "waiting" | "delayed" | "active", ahead?: number, tag?: string];
type Row = readonly (string | number | null)[];

/** Payloads and results are of any size: a group of them is one answer. */
const readsMax = 16;

const readsOf = perSpace((space) => {
  const { fair, flows } = fairKeys(space);
  const run = async (jobs: readonly { queueName: string; id: string }[]): Promise<Row[]> => {
    const names = jobs.flatMap(({ queueName, id }) => [queueName, id]);
    return (await readWithPlaces(space.client, [fair, flows], [`${space.prefix}:`, ...names])) as Row[];
  };
  return groupCalls(run, {
    client: space.client,
    callsMax: readsMax,
    isOfOne: (error) => !isRedisUnavailable(error),
  });
});

export async function readJobOn(
  space: QueueSpace,
  queueName: string,
  id: string,
): Promise<JobRecord | undefined> {
  const row = await readsOf(space)("", { queueName, id });
  const hash = hashOf(row);
  // A key that holds only our own fields is what a removal and a late write left behind.
  if (hash["timestamp"] === undefined) return undefined;
  const [state = finalStateOf(hash) ?? "waiting", ahead, tag] = row.slice(recordFields.length) as Place;
  const waits = state === "waiting";
  return parseJobRecord(id, queueName, hash, {
    state,
    position: waits ? ahead : undefined,
    tag: waits ? Number(tag) : undefined,
  });
}

function hashOf(row: Row): JobHash {
  const hash: Record<string, string> = {};
  for (const [index, field] of recordFields.entries()) {
    const value = row[index];
    if (typeof value === "string") hash[field] = value;
  }
  return hash;
}
