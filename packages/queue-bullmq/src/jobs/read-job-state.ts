import type { JobState } from "@forebay/queue-contracts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { locateJob } from "./locate-job.ts";
import { readJobOn } from "./read-job.ts";

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

// KEYS: job, delayed, active. ARGV: id.
const readState = createLuaScript(`
local fields = redis.call("HMGET", KEYS[1], "timestamp", "finishedOn")
if not fields[1] then return "gone" end
if fields[2] then return "ended" end
if redis.call("ZSCORE", KEYS[2], ARGV[1]) then return "delayed" end
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
    const state = (await readState(space.client, keys, [id])) as JobState | "ended" | "gone";
    if (state === "ended") return (await readJobOn(space, queueName, id))?.state;
    if (state !== "gone") return state;
  }
  return undefined;
}
