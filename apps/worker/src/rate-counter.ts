const windowS = 60;

/** Counts what happens, per second over the last minute; the same effort however much happens. */
export type RateCounter = {
  note(nowMs: number): void;
  perS(nowMs: number): number;
};

export function createRateCounter(): RateCounter {
  // One place for each second of the window, used again a minute later.
  const counts = new Float64Array(windowS);
  const seconds = new Float64Array(windowS).fill(Number.NEGATIVE_INFINITY);
  return {
    note(nowMs) {
      const second = Math.floor(nowMs / 1_000);
      const place = second % windowS;
      if (seconds[place] !== second) counts[place] = 0;
      seconds[place] = second;
      counts[place] = (counts[place] ?? 0) + 1;
    },
    perS(nowMs) {
      const oldest = Math.floor(nowMs / 1_000) - windowS;
      const recent = counts.filter((_, place) => (seconds[place] ?? 0) > oldest);
      return recent.reduce((sum, count) => sum + count, 0) / windowS;
    },
  };
}
