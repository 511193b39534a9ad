import type { Arrival, Served } from "./virtual-gpu.ts";

/** The same jobs in plain arrival order, as Ollama itself would serve them. */
export function runInArrivalOrder(arrivals: readonly Arrival[], slots: number): Served[] {
  const freeAt = Array.from({ length: slots }, () => 0);
  return arrivals
    .toSorted((a, b) => a.atMs - b.atMs)
    .map((arrival) => {
      const slot = freeAt.indexOf(Math.min(...freeAt));
      const startMs = Math.max(arrival.atMs, freeAt[slot] ?? 0);
      const endMs = startMs + arrival.trueMs;
      freeAt[slot] = endMs;
      return { ...arrival, startMs, endMs };
    });
}
