import { type StartRecord, startRecordSchema } from "@forebay/queue-contracts";
import { z } from "zod";

/**
 * A job's starts are kept in its own hash (field `starts`) as lines of JSON, so that one Redis command adds a
 * line and nothing is read to write: `{"start":{…}}` opens a record, `{"end":{…}}` completes the last one,
 * `{"fresh":true}` says that the job was put back by hand and counts anew.
 */
export type StartsLine =
  /** Written by Redis, with its own clock. */
  | { start: { at_ms: number; worker: string } }
  | { backend: string }
  | { end: Omit<StartRecord, "at" | "worker" | "backend"> }
  | { fresh: true };

/** Records oldest first; `sinceFresh` are those after the job was last put back. */
export type Starts = {
  readonly all: StartRecord[];
  readonly sinceFresh: StartRecord[];
  /** It was put back by hand at least once. */ readonly putBack: boolean;
};

export function parseStarts(text: string | null | undefined): Starts {
  const all: StartRecord[] = [];
  let freshAt: number | undefined;
  for (const line of (text ?? "").split("\n")) {
    if (line === "") continue;
    const parsed = JSON.parse(line) as Record<string, unknown>;
    if (parsed["fresh"]) freshAt = all.length;
    if (parsed["start"]) all.push(parseStart(parsed["start"]));
    const last = all.at(-1);
    if (last && parsed["backend"]) last.backend = String(parsed["backend"]);
    if (last && parsed["end"]) all[all.length - 1] = startRecordSchema.parse({ ...last, ...parsed["end"] });
  }
  return { all, sinceFresh: all.slice(freshAt ?? 0), putBack: freshAt !== undefined };
}

const startSchema = z.object({ at_ms: z.number(), worker: z.string() });

function parseStart(value: unknown): StartRecord {
  const { at_ms, worker } = startSchema.parse(value);
  return { at: new Date(at_ms).toISOString(), worker };
}

export function startsLine(line: StartsLine): string {
  return `${JSON.stringify(line)}\n`;
}
