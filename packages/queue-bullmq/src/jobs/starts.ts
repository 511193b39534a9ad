import { type StartRecord, startRecordSchema } from "@forebay/queue-contracts";
import { z } from "zod";
import { parseJson } from "../redis/parse-json.ts";

/**
 * A job's starts are kept in its own hash (field `starts`) as lines of JSON, so that one Redis command adds a
 * line and nothing is read to write: `{"start":{…}}` opens a record, a `backend` in it or after it says where it
 * runs, `{"end":{…}}` completes the last one,
 * `{"fresh":true}` says that the job was put back by hand and counts anew.
 */
export type StartsLine =
  /** Written by Redis, with its own clock. */
  | { start: { at_ms: number; worker: string }; backend?: string }
  | { backend: string }
  | { end: Omit<StartRecord, "at" | "worker" | "backend"> }
  /** `ended_ms`: when that ended which it was put back from, so that no ending is put back from twice. */
  | { fresh: true; ended_ms?: number };

/** Records oldest first; `sinceFresh` are those after the job was last put back. */
export type Starts = {
  readonly all: StartRecord[];
  readonly sinceFresh: StartRecord[];
  /** It was put back by hand at least once. */ readonly putBack: boolean;
};

/** What a Date can hold. */
const timeMsMax = 8_640_000_000_000_000;

const lineSchema = z.object({
  start: z.object({ at_ms: z.number().min(0).max(timeMsMax), worker: z.string() }).optional(),
  backend: z.string().optional(),
  end: startRecordSchema.omit({ at: true, worker: true, backend: true }).optional(),
  fresh: z.boolean().optional(),
});

/** A line nobody can read is passed over: a job must not be lost with a part of its history. */
export function parseStarts(text: string | null | undefined): Starts {
  const all: StartRecord[] = [];
  let freshAt: number | undefined;
  for (const line of (text ?? "").split("\n")) {
    if (line === "") continue;
    const { start, backend, end, fresh } = lineSchema.safeParse(parseJson(line)).data ?? {};
    if (fresh) freshAt = all.length;
    if (start) all.push({ at: new Date(start.at_ms).toISOString(), worker: start.worker });
    const last = all.at(-1);
    if (last && backend !== undefined) last.backend = backend;
    if (last && end) Object.assign(last, end);
  }
  return { all, sinceFresh: all.slice(freshAt ?? 0), putBack: freshAt !== undefined };
}

export function startsLine(line: StartsLine): string {
  return `${JSON.stringify(line)}\n`;
}
