import { setTimeout as pause } from "node:timers/promises";

const pollMs = 20;

/**
 * Asks `check` until it gives something truthy, and resolves with that; a check that throws is asked again.
 * Rejects after `timeoutMs` (default 10 s), saying what was awaited and what the last check threw.
 */
export async function waitFor<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 10_000, what }: { timeoutMs?: number; what: string },
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let failure: unknown;
  do {
    try {
      failure = undefined;
      const value = await check();
      if (value) return value;
    } catch (error) {
      failure = error;
    }
    await pause(pollMs);
  } while (performance.now() < deadline);
  const why = failure instanceof Error ? `: ${failure.message}` : "";
  throw new Error(`Not within ${timeoutMs} ms: ${what}${why}`, { cause: failure });
}
