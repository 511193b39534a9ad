export type Clock = {
  /** Milliseconds, monotonic, with fractions. */
  now(): number;
  /** Runs once after `ms`; the returned function cancels. */
  after(ms: number, run: () => void): () => void;
};

// setTimeout fires at once for delays above 2^31-1, which would expire "keep for a month" immediately.
const delayMsMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), delayMsMax));
    return () => clearTimeout(timer);
  },
};
