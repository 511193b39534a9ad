/** Where a job really is. */
export type JobPlace = "open" | "ended" | "gone";

/** What to do with an entry of a tenant's index; `watch`: it looks wrong, look again later. */
export type IndexRepair = "keep" | "watch" | "to-open" | "to-ended" | "remove";

/** A job is indexed before it is written; an entry this young may be of a job on its way. Milliseconds. */
const writtenWithinMs = 10 * 60_000;

/**
 * An index entry and its job are written one after the other, so a glance may fall between the two. Only what
 * looked wrong in the same way at the last glance too is mended.
 */
export function decideIndexRepair(entry: {
  indexed: "open" | "ended";
  place: JobPlace;
  /** How it looked at the last glance; undefined: it did not look wrong. */
  before: JobPlace | undefined;
  /** Since the job's id was made, by our clock. */
  ageMs: number;
}): IndexRepair {
  const { indexed, place, before, ageMs } = entry;
  if (place === indexed) return "keep";
  if (place === "gone" && ageMs < writtenWithinMs) return "keep";
  if (before !== place) return "watch";
  if (place === "gone") return "remove";
  return place === "open" ? "to-open" : "to-ended";
}
