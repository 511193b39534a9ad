import { queueTagOfJobId } from "@forebay/queue-contracts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { isDeadLetterReason } from "./describe-failed-job.ts";
import { type RecordAnswer, recordDeadLetter, type RecordOptions } from "./record-dead-letter.ts";
import { runPipeline } from "./run-pipeline.ts";

const chunkSize = 500;
/** Payloads may have megabytes: only so many are held at once. */
const recordedAtOnce = 8;

export type Sweep = {
  readonly queue: { name: string; model: string };
  /** Looks at failures from this time on, ms since 1970 by the workers' clocks; undefined: at all of them. */
  readonly sinceMs: number | undefined;
  /**
   * Failures an earlier sweep found dealt with, as id → score in the failed set; they are not asked about
   * again. What this sweep finds dealt with is the `settled` of its report.
   */
  readonly settled: ReadonlyMap<string, string>;
  readonly options: RecordOptions;
  readonly signal: AbortSignal;
  readonly on: {
    recorded(answer: Extract<RecordAnswer, { kind: "recorded" }>): void;
    /** One job could not be dealt with; the others are. */
    failed(id: string, error: unknown): void;
  };
};

export type SweepReport = {
  readonly examined: number;
  /** Ids that are not ours: such a job has no dead letter. */
  readonly foreign: number;
  readonly settled: Map<string, string>;
};

type Entry = { readonly id: string; readonly score: string };

/**
 * Makes a dead letter of every job in a queue's failed set that has none. The set is the truth: whoever was
 * down, or missed every event, finds there what happened meanwhile.
 */
export async function sweepFailedSet(space: QueueSpace, sweep: Sweep): Promise<SweepReport> {
  const settled = new Map<string, string>();
  let examined = 0;
  let foreign = 0;
  const failedKey = space.queue(sweep.queue.name).toKey("failed");
  const chunks =
    sweep.sinceMs === undefined ? scanAll(space, failedKey) : readSince(space, failedKey, sweep.sinceMs);
  for await (const chunk of chunks) {
    sweep.signal.throwIfAborted();
    examined += chunk.length;
    const ours = chunk.filter(({ id }) => queueTagOfJobId(id) !== undefined);
    foreign += chunk.length - ours.length;
    const open = ours.filter(({ id, score }) => sweep.settled.get(id) !== score);
    const done = new Set(await recordOpen(space, sweep, open));
    for (const { id, score } of ours)
      if (sweep.settled.get(id) === score || done.has(id)) settled.set(id, score);
  }
  return { examined, foreign, settled };
}

/** Returns the ids that are dealt with now. */
async function recordOpen(space: QueueSpace, sweep: Sweep, entries: readonly Entry[]): Promise<string[]> {
  const { done, missing } = await checkEntries(space, sweep.queue.name, entries);
  for (let at = 0; at < missing.length; at += recordedAtOnce) {
    sweep.signal.throwIfAborted();
    const ids = missing.slice(at, at + recordedAtOnce);
    const answers = await Promise.all(ids.map((id) => recordOne(space, sweep, id)));
    done.push(...ids.filter((_, index) => answers[index]));
  }
  return done;
}

async function recordOne(space: QueueSpace, sweep: Sweep, id: string): Promise<boolean> {
  try {
    const answer = await recordDeadLetter(space, sweep.queue, id, sweep.options);
    if (answer.kind === "recorded") sweep.on.recorded(answer);
    return answer.kind === "recorded" || answer.kind === "known";
  } catch (error) {
    sweep.on.failed(id, error);
    return false;
  }
}

/** Which failures are dealt with, by the job's own word, and which lack a letter. */
async function checkEntries(
  space: QueueSpace,
  queueName: string,
  entries: readonly Entry[],
): Promise<{ done: string[]; missing: string[] }> {
  const pipeline = space.client.pipeline();
  for (const { id } of entries) {
    pipeline.hmget(space.jobKey(queueName, id), "finishedOn", "dl", "failedReason");
  }
  const replies = await runPipeline(pipeline);
  const done: string[] = [];
  const missing: string[] = [];
  for (const [index, { id }] of entries.entries()) {
    const [finishedOn, dl, reason] = replies[index] as (string | null)[];
    if (!finishedOn) continue;
    if (dl === finishedOn || !isDeadLetterReason(reason ?? "")) done.push(id);
    else missing.push(id);
  }
  return { done, missing };
}

/** Every entry that stays in the set throughout is seen, whatever is added and removed meanwhile. */
async function* scanAll(space: QueueSpace, key: string): AsyncGenerator<Entry[]> {
  let cursor = "0";
  do {
    const [next, flat] = await space.client.zscan(key, cursor, "COUNT", chunkSize);
    cursor = next;
    if (flat.length > 0) yield pairUp(flat);
  } while (cursor !== "0");
}

async function* readSince(space: QueueSpace, key: string, sinceMs: number): AsyncGenerator<Entry[]> {
  let from = String(sinceMs);
  let seenAtFrom = 0;
  for (;;) {
    const limit = ["LIMIT", seenAtFrom, chunkSize] as const;
    const chunk = pairUp(await space.client.zrangebyscore(key, from, "+inf", "WITHSCORES", ...limit));
    if (chunk.length > 0) yield chunk;
    const last = chunk.at(-1);
    if (!last || chunk.length < chunkSize) return;
    const atLast = chunk.filter(({ score }) => score === last.score).length;
    seenAtFrom = last.score === from ? seenAtFrom + atLast : atLast;
    from = last.score;
  }
}

function pairUp(flat: readonly string[]): Entry[] {
  const entries: Entry[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    entries.push({ id: flat[index] ?? "", score: flat[index + 1] ?? "" });
  }
  return entries;
}
