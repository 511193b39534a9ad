import type { Clock } from "../src/clock.ts";

type Timer = { at: number; run: () => void };

export type ManualClock = Clock & {
  /** Lets time pass, timer by timer, with everything that follows from each. */
  advance(ms: number): Promise<void>;
  readonly timers: number;
};

export function createManualClock(): ManualClock {
  const timers = new Set<Timer>();
  let now = 0;
  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await settle();
        const next = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        timers.delete(next);
        now = next.at;
        next.run();
      }
      now = end;
      await settle();
    },
    get timers() {
      return timers.size;
    },
  };
}

/** Until every promise that can go on has gone on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
