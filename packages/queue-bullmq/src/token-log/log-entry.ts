import { z } from "zod";
import type { JobState } from "@forebay/queue-contracts";

/**
 * What a job's log holds, in a Redis stream at `<job key>:log`. Entry ids are `0-<seq>`: Redis numbers them
 * without gaps, so a reader knows by the number alone that nothing is missing. Sequence number 1 is the job
 * being accepted; it is known from the job itself and not written. The end of a job is not written either:
 * it is the job's state, and its event has the number after the last entry.
 */
export const logEventNames = ["state", "progress", "token", "restart"] as const;
export type LogEventName = (typeof logEventNames)[number];

/** `data`: JSON object as text, sent to readers as it is. */
export type LogEntry = { readonly seq: number; readonly event: LogEventName; readonly data: string };

export type NewLogEntry = { readonly event: LogEventName; readonly data: LogData };

export type LogData =
  | { state: JobState; at_ms: number; attempt?: number }
  | { tokens: number }
  | { text?: string; thinking?: string; tool_calls?: unknown[] }
  | { attempt: number };

/** Number of the first entry that is written; 1 is the job being accepted. */
export const firstLoggedSeq = 2;

export const logKey = (jobKey: string): string => `${jobKey}:log`;

const eventNameSchema = z.enum(logEventNames);

/** An entry as XRANGE gives it: `0-<seq>`, fields `e` and `d`. */
export function parseStreamEntry([id, fields]: [string, string[]]): LogEntry {
  return { seq: seqOfId(id), event: eventNameSchema.parse(fields[1]), data: fields[3] ?? "{}" };
}

export const seqOfId = (id: string): number => Number(id.slice(id.indexOf("-") + 1));

/** Entries as they are published: one line each, `<seq> <event> <data>`. */
export function parsePublished(message: string): LogEntry[] {
  return message.split("\n").map((line) => {
    const [seq = "", event = ""] = line.split(" ", 2);
    return {
      seq: Number(seq),
      event: eventNameSchema.parse(event),
      data: line.slice(seq.length + event.length + 2),
    };
  });
}
