import { perSpace } from "../queues/per-space.ts";
import type { JobRecord } from "./job-record.ts";

type Values = readonly (string | null)[];
type Kept = { readonly record: JobRecord; readonly values: Values; readonly chars: number };

export type EndedRecords = {
  /** The record that these very values were parsed into the last time. */
  find(key: string, values: Values): JobRecord | undefined;
  keep(key: string, values: Values, record: JobRecord): void;
};

/** Of all values together. */
const charsMax = 4 * 1_024 * 1_024;
/** One job takes no more than this part of it; a larger one is parsed each time. */
const shareMax = 16;

/**
 * Records of jobs that have ended. One is read several times: by who waits for it, who shows it, who asks again; and
 * parsing it is most of the work. Redis is asked each time all the same, and a record is used again only if nothing in
 * it has changed. What was read first is forgotten first.
 */
export const endedRecords = perSpace(() => createEndedRecords(charsMax));

export function createEndedRecords(limitChars: number): EndedRecords {
  const records = new Map<string, Kept>();
  let chars = 0;
  const forget = (key: string): void => {
    chars -= records.get(key)?.chars ?? 0;
    records.delete(key);
  };
  return {
    find(key, values) {
      const known = records.get(key);
      return known?.values.every((value, index) => value === values[index]) ? known.record : undefined;
    },
    keep(key, values, record) {
      forget(key);
      const size = values.reduce((sum, value) => sum + (value?.length ?? 0), key.length);
      if (size > limitChars / shareMax) return;
      records.set(key, { record, values, chars: size });
      chars += size;
      for (const oldest of records.keys()) {
        if (chars <= limitChars) break;
        forget(oldest);
      }
    },
  };
}
