/** A reading of something outside that is believed for a while. */
export type CachedReading<T> = {
  /** The value, at most `ttlMs` old (or `freshMs`, if given); those who ask at the same time share one reading. */
  get(freshMs?: number): Promise<T>;
};

export function createCachedReading<T>(
  read: () => Promise<T>,
  ttlMs: number,
  now: () => number = Date.now,
): CachedReading<T> {
  let last: { at: number; value: Promise<T> } | undefined;
  return {
    get(freshMs = ttlMs) {
      if (last && now() - last.at < freshMs) return last.value;
      const reading = { at: now(), value: read() };
      last = reading;
      // A failure is told to those who waited for it, and not remembered.
      reading.value.catch(() => {
        if (last === reading) last = undefined;
      });
      return reading.value;
    },
  };
}
