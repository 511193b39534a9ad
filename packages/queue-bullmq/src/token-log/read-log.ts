import type { QueueSpace } from "../queues/queue-space.ts";
import { firstLoggedSeq, type LogEntry, logKey, parseStreamEntry, seqOfId } from "./log-entry.ts";

/** A page of a job's log. */
export type LogPage =
  | { kind: "entries"; entries: LogEntry[] }
  /** Entries after the wanted number were there once and are not any more, or never were. */
  | { kind: "lost" };

const pageSize = 500;

/**
 * The entries after number `after`, in order, at most 500; no entries: there are no more yet. Entries are
 * never skipped: when the ones that follow are missing, the answer is `lost`.
 */
export async function readLog(
  space: QueueSpace,
  job: { queueName: string; id: string },
  after: number,
): Promise<LogPage> {
  const key = logKey(space.jobKey(job.queueName, job.id));
  const from = Math.max(after, firstLoggedSeq - 1);
  // The last number first: an entry that is written between the two must not look like one that is missing.
  const [last, raw] = await Promise.all([
    readLastSeq(space, key),
    space.client.xrange(key, `(0-${from}`, "+", "COUNT", pageSize),
  ]);
  const entries = raw.map(parseStreamEntry);
  const [first] = entries;
  if (first) return first.follows <= from ? { kind: "entries", entries } : { kind: "lost" };
  // Ahead of everything written: a number of another job, or of a log that Redis lost when it crashed.
  return from === last ? { kind: "entries", entries } : { kind: "lost" };
}

/** Number of the last entry; 1 when nothing was written. */
export async function readLastSeq(space: QueueSpace, key: string): Promise<number> {
  const [last] = await space.client.xrevrange(key, "+", "-", "COUNT", 1);
  return last ? seqOfId(last[0]) : firstLoggedSeq - 1;
}

/** Number of a job's closing event: the one after the last entry. */
export async function readFinalSeq(
  space: QueueSpace,
  job: { queueName: string; id: string },
): Promise<number> {
  return (await readLastSeq(space, logKey(space.jobKey(job.queueName, job.id)))) + 1;
}
