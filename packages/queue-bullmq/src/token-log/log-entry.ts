import type { JobState } from "@forebay/queue-contracts";

/**
 * What a job's log holds, in a Redis stream beside the job. Entry ids are `0-<seq>`, and numbers rise by one, so
 * a reader knows by the number alone that nothing is missing. Number 1 is the job being accepted; it is known
 * from the job itself and not written. The end of a job is not written either: it is the job's state, and its
 * event has the number after the last entry.
 *
 * Numbers are left out in two cases, both told by `follows` and made good by a `restart`: Redis came back without
 * the last entries, which readers may have seen; or a job that had aged out was put back, and its old log is gone.
 */
export type NewLogEntry = {
  readonly event: "state" | "progress" | "token" | "restart";
  readonly data: LogData;
};

export type TokenData = { text?: string; thinking?: string; tool_calls?: unknown[] };

export type LogData =
  | { state: JobState; at_ms: number; attempt?: number; model?: string }
  | { tokens: number }
  | TokenData
  | { attempt: number };

export type LogEntry = {
  readonly seq: number;
  /** Number of the entry before it: nothing was between the two. */
  readonly follows: number;
  /** A worker of a later version may write one that is not known here: it is the reader's to understand. */
  readonly event: string;
  /** JSON object as text, sent to readers as it is. */
  readonly data: string;
};

/** Number of the first entry that is written; 1 is the job being accepted. */
export const firstLoggedSeq = 2;

/** BullMQ's own name for what is logged beside a job: it erases this key with the job, whatever way that goes. */
export const logKey = (jobKey: string): string => `${jobKey}:logs`;

/** An entry as XRANGE gives it: `0-<seq>`, fields `e` and `d`, and `p` when it does not follow the number before. */
export function parseStreamEntry([id, fields]: [string, string[]]): LogEntry {
  const seq = seqOfId(id);
  const [, event = "", , data = "{}", , follows = seq - 1] = fields;
  return { seq, follows: Number(follows), event, data };
}

export const seqOfId = (id: string): number => Number(id.slice(id.indexOf("-") + 1));

/** Entries as they are published: one line each, `<seq> <event> <data>`. */
export function parsePublished(message: string): LogEntry[] {
  return message.split("\n").map((line) => {
    const afterSeq = line.indexOf(" ");
    const afterEvent = line.indexOf(" ", afterSeq + 1);
    const seq = Number(line.slice(0, afterSeq));
    const event = line.slice(afterSeq + 1, afterEvent);
    return { seq, follows: seq - 1, event, data: line.slice(afterEvent + 1) };
  });
}
