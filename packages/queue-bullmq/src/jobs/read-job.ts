import type { JobState } from "@forebay/queue-contracts";
import { finalStateOf, type JobHash, type JobRecord, parseJobRecord } from "./job-record.ts";
import { locateJob } from "./locate-job.ts";
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

export async function readJobOn(
  space: QueueSpace,
  queueName: string,
  id: string,
): Promise<JobRecord | undefined> {
  const key = space.jobKey(queueName, id);
  const hash: JobHash = await space.client.hgetall(key);
  // A key that holds only our own fields is what a removal and a late write left behind.
  if (hash["timestamp"] === undefined) return undefined;
  const final = finalStateOf(hash);
  if (final) return parseJobRecord(id, queueName, hash, { state: final });

  const where = await readPlace(space, queueName, id);
  if (where !== "elsewhere") return parseJobRecord(id, queueName, hash, where);
  // It ended or was erased between the two reads: the hash is complete now, or gone.
  const ended: JobHash = await space.client.hgetall(key);
  if (ended["timestamp"] === undefined) return undefined;
  return parseJobRecord(id, queueName, ended, { state: finalStateOf(ended) ?? "waiting" });
}

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

/** The job's state alone, which costs less than the job; undefined: there is none (any more). */
export async function readJobState(
  space: QueueSpace,
  directory: QueueDirectory,
  id: string,
): Promise<JobState | undefined> {
  for await (const queueName of locateJob(space, directory, id)) {
    const [ended, place] = await Promise.all([
      hasEnded(space, queueName, id),
      space.queue(queueName).getJobState(id),
    ]);
    if (ended === undefined) continue;
    const state = ended ? "elsewhere" : stateOfPlace(place);
    return state === "elsewhere" ? (await readJobOn(space, queueName, id))?.state : state;
  }
  return undefined;
}

async function readPlace(
  space: QueueSpace,
  queueName: string,
  id: string,
): Promise<{ state: JobState; position?: number } | "elsewhere"> {
  const queue = space.queue(queueName);
  const [state, rank, ahead] = await Promise.all([
    queue.getJobState(id),
    space.client.zrank(queue.toKey("prioritized"), id),
    space.client.llen(queue.toKey("wait")),
  ]);
  // Those in `wait`, which were taken from dead workers, run before all others.
  if (state === "prioritized") return { state: "waiting", position: ahead + (rank ?? 0) };
  if (state === "waiting") return { state, position: 0 };
  const name = stateOfPlace(state);
  return name === "elsewhere" ? name : { state: name };
}

/** Our name for BullMQ's set in which a job is; `elsewhere`: it has ended, or is gone. */
function stateOfPlace(set: string): JobState | "elsewhere" {
  switch (set) {
    case "active":
    case "delayed":
    case "waiting":
      return set;
    case "prioritized":
      return "waiting";
    default:
      return "elsewhere";
  }
}
