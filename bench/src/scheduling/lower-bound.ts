type Work = { readonly atMs: number; readonly model: string; readonly trueMs: number };

/**
 * What no order could beat on a host that holds one model: every model is loaded once, nobody else's call runs
 * meanwhile, all slots are busy all the rest of the time; and the work that has come after any moment cannot have begun
 * before it.
 *
 * @param jobs in order of arrival
 * @returns milliseconds from the first arrival to the last end
 */
export function lowerBoundMs(jobs: readonly Work[], slots: number, loadMs: number): number {
  const first = jobs[0]?.atMs ?? 0;
  const loads = new Set(jobs.map(({ model }) => model)).size * loadMs;
  const all = loads + jobs.reduce((sum, { trueMs }) => sum + trueMs, 0) / slots;
  let after = 0;
  let latest = 0;
  for (const { atMs, trueMs } of jobs.toReversed()) {
    after += trueMs / slots;
    latest = Math.max(latest, atMs - first + after);
  }
  return Math.max(all, latest);
}
