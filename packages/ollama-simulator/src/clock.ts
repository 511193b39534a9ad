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

/** Infinity waits for the signal alone, whose reason it rejects with. */
export function waitFor(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    if (ms === 0) return resolve();
    const abort = () => {
      cancel();
      reject(signal.reason);
    };
    const done = () => {
      signal.removeEventListener("abort", abort);
      resolve();
    };
    const cancel = ms === Number.POSITIVE_INFINITY ? () => {} : clock.after(ms, done);
    signal.addEventListener("abort", abort, { once: true });
  });
}
