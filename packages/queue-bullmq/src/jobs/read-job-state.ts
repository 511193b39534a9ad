import { type JobState, parseFailedReason, stateOfFailure } from "@forebay/queue-contracts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { locateJob } from "./locate-job.ts";

/** Whether a job has ended, without reading it: one short command. undefined: there is no such job on the queue. */
export async function hasEnded(
  space: QueueSpace,
  queueName: string,
  id: string,
): Promise<boolean | undefined> {
  const key = space.jobKey(queueName, id);
  const [timestamp, finishedOn] = await space.client.hmget(key, "timestamp", "finishedOn");
  if (typeof timestamp !== "string") return undefined;
  return typeof finishedOn === "string";
}

// KEYS: job, delayed, active. ARGV: id. Returns its state, or { why it failed } when it ended, or nothing.
const readState = createLuaScript(`
local fields = redis.call("HMGET", KEYS[1], "timestamp", "finishedOn", "failedReason", "held")
if not fields[1] then return false end
if fields[2] then
  -- A retry that worked leaves the reason of the failure before it.
  if redis.call("HEXISTS", KEYS[1], "returnvalue") == 1 then return { false } end
  return { fields[3] }
end
if redis.call("ZSCORE", KEYS[2], ARGV[1]) then return fields[4] and "waiting" or "delayed" end
if redis.call("LPOS", KEYS[3], ARGV[1]) then return "active" end
return "waiting"
`);

/** The job's state alone, for those who only wait for it to change; undefined: there is no such job (any more). */
export async function readJobState(
  space: QueueSpace,
  directory: QueueDirectory,
  id: string,
): Promise<JobState | undefined> {
  for await (const queueName of locateJob(space, directory, id)) {
    const keys = [id, "delayed", "active"].map((part) => space.jobKey(queueName, part));
    const reply = (await readState(space.client, keys, [id])) as JobState | [string | null] | null;
    if (typeof reply === "string") return reply;
    if (reply) return reply[0] === null ? "completed" : stateOfFailure(parseFailedReason(reply[0]).code);
  }
  return undefined;
}
