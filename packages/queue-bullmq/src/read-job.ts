import type { JobState } from "@forebay/queue-contracts";
import { finalStateOf, type JobHash, type JobRecord, parseJobRecord } from "./job-record.ts";
import { locateJob } from "./locate-job.ts";
import type { QueueDirectory } from "./queue-directory.ts";
import type { QueueSpace } from "./queue-space.ts";

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
  if (where !== "ended") return parseJobRecord(id, queueName, hash, where);
  // It ended between the two reads: the hash is complete now.
  const ended: JobHash = await space.client.hgetall(key);
  if (ended["timestamp"] === undefined) return undefined;
  return parseJobRecord(id, queueName, ended, { state: finalStateOf(ended) ?? "waiting" });
}

async function readPlace(
  space: QueueSpace,
  queueName: string,
  id: string,
): Promise<{ state: JobState; position?: number } | "ended"> {
  const queue = space.queue(queueName);
  const [state, rank] = await Promise.all([
    queue.getJobState(id),
    space.client.zrank(queue.toKey("prioritized"), id),
  ]);
  switch (state) {
    case "active":
      return { state: "active" };
    case "delayed":
      return { state: "delayed" };
    case "completed":
    case "failed":
      return "ended";
    default:
      // In `wait` it was taken from a dead worker and runs next; `unknown` is between two of BullMQ's sets.
      return { state: "waiting", position: rank ?? 0 };
  }
}
