/** What a host was given to do lately, and how much each job was owed. A mutable value; the clock is the caller's. */
export type ServiceLog = {
  /** A job of this tag begins on the host, or makes it load. */
  began(tag: number, nowMs: number): void;
  /** How long the host has worked for jobs that are owed less than this one, since it could have had it instead. */
  passedOverMs(head: { tag: number; sinceMs: number }, nowMs: number): number;
};

/** A bound of 10 s beside one of 300 s is still kept by two seconds. */
const momentsMax = 256;

/**
 * @param windowMs how far back is looked: who was passed over for longer counts as that long
 * @param moments so many are remembered: a start stands for those that follow it closely
 */
export function createServiceLog(windowMs: number, moments: number = momentsMax): ServiceLog {
  const stepMs = windowMs / moments;
  const starts: { atMs: number; tag: number }[] = [];
  return {
    began(tag, nowMs) {
      const [before, last] = starts.slice(-2);
      // Only what was short is forgotten, and the last one never: it may run for long.
      if (before && last && last.atMs - before.atMs < stepMs && nowMs - last.atMs < stepMs) starts.pop();
      starts.push({ atMs: nowMs, tag });
      // Of one step two are kept at most.
      if (starts.length > 2 * moments) starts.shift();
    },
    passedOverMs({ tag, sinceMs }, nowMs) {
      let sum = 0;
      let untilMs = nowMs;
      for (let index = starts.length - 1; index >= 0; index--) {
        const start = starts[index];
        // What runs since before the job was put is in nobody's way.
        if (!start || start.atMs < sinceMs) break;
        if (start.tag > tag) sum += untilMs - start.atMs;
        untilMs = start.atMs;
      }
      return Math.min(sum, windowMs);
    },
  };
}
