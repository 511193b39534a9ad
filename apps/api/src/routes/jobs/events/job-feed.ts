import {
  hasEnded,
  type JobRecord,
  type LiveHub,
  locateJob,
  type LogEntry,
  type QueueDirectory,
  type QueueSpace,
  readJobOn,
  readLog,
} from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";
import { coalesceRuns } from "../coalesce-runs.ts";

/** Where a feed's events go. */
export type FeedSink = {
  /** The job was accepted: event number 1. */
  accepted(): void;
  entries(entries: readonly LogEntry[]): void;
  /** Whether the reader keeps up: what comes live may be sent at once. */
  flowing(): boolean;
  /** Resolves when the reader has room again; false: it has read nothing for too long, or is gone. */
  drained(): Promise<boolean>;
  /** The job's end, as its last event; nothing follows. */
  ended(job: JobRecord, seq: number): void;
  /** The next events cannot be had any more. */
  lost(): void;
  /** The reader reads nothing. */
  stalled(): void;
  /** The job was deleted, or Redis stayed away: the reader may come back. */
  broken(error?: unknown): void;
};

export type JobFeed = { stop(): void };

/**
 * Delivers every event of a job after `position`, in order and once, from its log and then live, until the job
 * ends. When it resolves, all that was there has been delivered, unless the reader is slow. What the hub brings is
 * taken only when it is the very next event; for anything else, and whenever
 * something may have changed, log and job are read.
 */
export async function openJobFeed(
  source: { space: QueueSpace; hub: LiveHub; directory: QueueDirectory },
  job: { queueName: string; id: string },
  position: number,
  sink: FeedSink,
): Promise<JobFeed> {
  const { space, hub, directory } = source;
  let place = job;
  let seen = position;
  let stopped = false;
  let opened = false;
  let watch: { stop(): void } | undefined;

  const stop = (): void => {
    stopped = true;
    watch?.stop();
  };
  /** What comes live while the log is read may come twice, and counts once. */
  const deliver = (entries: readonly LogEntry[]): void => {
    const fresh = entries[0] && entries[0].seq > seen ? entries : entries.filter(({ seq }) => seq > seen);
    const last = fresh.at(-1);
    if (stopped || !last) return;
    seen = last.seq;
    sink.entries(fresh);
  };
  /** It went on with another model, on that one's queue, and took its log along; undefined: it is gone. */
  const findAgain = async (): Promise<boolean | undefined> => {
    for await (const queueName of locateJob(space, directory, place.id)) {
      const ended = await hasEnded(space, queueName, place.id);
      if (ended === undefined) continue;
      place = { ...place, queueName };
      return ended;
    }
    return undefined;
  };
  const hasMoved = async (): Promise<boolean> => {
    const { queueName } = place;
    if ((await hasEnded(space, queueName, place.id)) === undefined) await findAgain();
    return place.queueName !== queueName;
  };
  /** One round: the job first, so that a final state means that the log read after it is complete. */
  const readOnce = async (): Promise<void> => {
    const ended = (await hasEnded(space, place.queueName, place.id)) ?? (await findAgain());
    const record = ended ? await readJobOn(space, place.queueName, place.id) : undefined;
    if (ended === undefined) return finish(() => sink.broken());
    for (;;) {
      // A reader that falls behind gets the log at its own pace, and nothing is held for it meanwhile.
      if (!(await sink.drained())) return finish(() => sink.stalled());
      const page = await readLog(space, place, seen);
      if (stopped) return;
      if (page.kind === "lost") {
        if (await hasMoved()) return readOnce();
        return finish(() => sink.lost());
      }
      // Not before the log was seen to be whole: a reader who begins with a gap is told so and nothing else.
      if (seen < 1 && !isLogGone(record, page.entries)) {
        seen = 1;
        sink.accepted();
      }
      if (page.entries.length === 0) break;
      deliver(page.entries);
    }
    if (seen <= 1 && isLogGone(record, [])) return finish(() => sink.lost());
    if (record && isFinalState(record.state)) finish(() => sink.ended(record, seen + 1));
  };
  const finish = (say: () => void): void => {
    if (stopped) return;
    stop();
    say();
  };
  const read = coalesceRuns(async () => {
    if (!stopped) await readOnce();
  });
  // Redis may be away; the hub says so again when it is back, and until then nothing happens.
  const readLater = (): void => void read().catch(() => undefined);

  // What comes before the first reading is in it; and that reading must be this one, since whoever opens a feed
  // relies on it having been done.
  watch = await hub.watch(job.id, {
    onEntries(entries) {
      if (!opened) return;
      if (entries[0]?.seq === seen + 1 && sink.flowing()) deliver(entries);
      else readLater();
    },
    onChange: () => void (opened && readLater()),
  });
  opened = true;
  try {
    await read();
  } catch (error) {
    finish(() => sink.broken(error));
  }
  return { stop };
}

/** Every job that completed was begun, and its log says so: without an entry there is no log any more. */
function isLogGone(job: JobRecord | undefined, entries: readonly LogEntry[]): boolean {
  return job?.state === "completed" && entries.length === 0;
}
