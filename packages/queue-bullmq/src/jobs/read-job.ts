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
  switch (state) {
    case "active":
    case "delayed":
      return { state };
    case "prioritized":
      // Those in `wait`, which were taken from dead workers, run before all others.
      return { state: "waiting", position: ahead + (rank ?? 0) };
    case "waiting":
      return { state: "waiting", position: 0 };
    default:
      return "elsewhere";
  }
}
