import {
  type JobRecord,
  type LiveHub,
  type LogEntry,
  type QueueSpace,
  readJobOn,
  readLog,
} from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";

/** Where a feed's events go. */
export type FeedSink = {
  /** The job was accepted: event number 1. */
  accepted(job: JobRecord): void;
  entry(entry: LogEntry): void;
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
 * ends. What the hub brings is taken only when it is the very next event; for anything else, and whenever
 * something may have changed, log and job are read.
 */
export async function openJobFeed(
  source: { space: QueueSpace; hub: LiveHub },
  job: { queueName: string; id: string },
  position: number,
  sink: FeedSink,
): Promise<JobFeed> {
  let seen = position;
  let stopped = false;
  let reading = false;
  let again = false;
  let watch: { stop(): void } | undefined;

  const stop = (): void => {
    stopped = true;
    watch?.stop();
  };
  const deliver = (entries: readonly LogEntry[]): void => {
    for (const entry of entries) {
      if (stopped || entry.seq <= seen) continue;
      seen = entry.seq;
      sink.entry(entry);
    }
  };
  /** One round: the job first, so that a final state means that the log read after it is complete. */
  const readOnce = async (): Promise<void> => {
    const record = await readJobOn(source.space, job.queueName, job.id);
    if (!record) return finish(() => sink.broken());
    for (;;) {
      // A reader that falls behind gets the log at its own pace, and nothing is held for it meanwhile.
      if (!(await sink.drained())) return finish(() => sink.stalled());
      const page = await readLog(source.space, job, seen);
      if (stopped) return;
      if (page.kind === "lost") return finish(() => sink.lost());
      // Not before the log was seen to be whole: a reader who begins with a gap is told so and nothing else.
      if (seen < 1 && !isLogGone(record, page.entries)) {
        seen = 1;
        sink.accepted(record);
      }
      if (page.entries.length === 0) break;
      deliver(page.entries);
    }
    if (seen <= 1 && isLogGone(record, [])) return finish(() => sink.lost());
    if (isFinalState(record.state)) finish(() => sink.ended(record, seen + 1));
  };
  const finish = (say: () => void): void => {
    if (stopped) return;
    stop();
    say();
  };
  const read = async (): Promise<void> => {
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    try {
      do {
        again = false;
        await readOnce();
      } while (again && !stopped);
    } finally {
      reading = false;
    }
  };

  watch = await source.hub.watch(job.id, {
    onEntries(entries) {
      // While the log is read these may be in it as well: reading goes on until nothing is new.
      if (!reading && entries[0]?.seq === seen + 1 && sink.flowing()) deliver(entries);
      else void read().catch(() => undefined);
    },
    // Redis may be away; the hub says so again when it is back, and until then nothing happens.
    onChange: () => void read().catch(() => undefined),
  });
  try {
    await read();
  } catch (error) {
    finish(() => sink.broken(error));
  }
  return { stop };
}

/** Every job that completed was begun, and its log says so: without an entry there is no log any more. */
function isLogGone(job: JobRecord, entries: readonly LogEntry[]): boolean {
  return job.state === "completed" && entries.length === 0;
}
