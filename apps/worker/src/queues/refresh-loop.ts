import type { Fleet } from "../backends/fleet.ts";

export type RefreshLoop = AsyncDisposable & {
  /** Look again now, or right after the look that is under way. */
  poke(): void;
};

const downIntervalMs = 1_000;

/**
 * Calls `refresh` at once and then every `intervalMs`; every second while a host is down, so that its jobs do
 * not wait longer than it takes to come back.
 */
export function startRefreshLoop(
  refresh: () => Promise<void>,
  fleet: Pick<Fleet, "backends">,
  intervalMs: number,
  onError: (error: unknown) => void,
): RefreshLoop {
  let timer: NodeJS.Timeout | undefined;
  let underway: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  const run = (): void => {
    clearTimeout(timer);
    if (stopped) return;
    if (underway) {
      again = true;
      return;
    }
    underway = refresh()
      .catch(onError)
      .then(() => {
        underway = undefined;
        const wait = fleet.backends.every((backend) => backend.up)
          ? intervalMs
          : Math.min(intervalMs, downIntervalMs);
        if (!stopped) timer = setTimeout(run, again ? 0 : wait);
        again = false;
      });
  };
  run();
  return {
    poke: run,
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearTimeout(timer);
      await underway;
    },
  };
}
