/** Slows down who guesses keys. Counted in this process; what is counted is an address, not a key. */
export type LoginLimiter = {
  /** Seconds until the address may try again; 0: now. */
  retryAfterS(address: string): number;
  recordFailure(address: string): void;
};

/** @param options.failuresMax failures within `windowMs` after which an address has to wait for the window's end */
export function createLoginLimiter(
  options: { failuresMax?: number; windowMs?: number; addressesMax?: number; now?: () => number } = {},
): LoginLimiter {
  const { failuresMax = 10, windowMs = 5 * 60_000, addressesMax = 10_000, now = Date.now } = options;
  const windows = new Map<string, { endsAt: number; failures: number }>();

  return {
    retryAfterS(address) {
      const window = windows.get(address);
      if (!window || window.endsAt <= now() || window.failures < failuresMax) return 0;
      return Math.ceil((window.endsAt - now()) / 1_000);
    },
    recordFailure(address) {
      const window = windows.get(address);
      if (window && window.endsAt > now()) {
        window.failures += 1;
        return;
      }
      // Deleted first, so that the oldest window is always the map's first.
      windows.delete(address);
      windows.set(address, { endsAt: now() + windowMs, failures: 1 });
      const [oldest] = windows.keys();
      if (windows.size > addressesMax && oldest !== undefined) windows.delete(oldest);
    },
  };
}
