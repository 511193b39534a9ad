/** Since when each affinity is served where it is: in memory somewhere, or about to be. */
export type HomeTimes = {
  /** In the memory of so many hosts now. */
  saw(affinity: string, homes: number, nowMs: number): void;
  /** When it came to the last of them; 0: it has none. */ since(affinity: string): number;
};

/**
 * A queue that has just been given a host must not make the next one load its model too, for jobs that waited before
 * it had any.
 */
export function createHomeTimes(): HomeTimes {
  const known = new Map<string, { homes: number; sinceMs: number }>();
  return {
    saw(affinity, homes, nowMs) {
      const { homes: before, sinceMs } = known.get(affinity) ?? { homes: 0, sinceMs: 0 };
      if (homes === 0) known.delete(affinity);
      else if (homes !== before) known.set(affinity, { homes, sinceMs: homes > before ? nowMs : sinceMs });
    },
    since: (affinity) => known.get(affinity)?.sinceMs ?? 0,
  };
}
