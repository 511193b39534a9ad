/** When a breaker opens, and for how long. Times in milliseconds. */
export type BreakerRule = {
  /** So many failures … */ readonly failures: number;
  /** … within this time open it. */ readonly withinMs: number;
  /** The first time it stays open this long, and twice as long each time it opens again before a success. */
  readonly openMs: number;
  readonly openMaxMs: number;
};

/** Remembers failures of one thing (a host, or a model on a host). A plain value: times come from outside. */
export type BreakerState = {
  readonly failedAt: readonly number[];
  readonly openUntil: number;
  /** Times it opened since the last success. */ readonly openings: number;
};

export const closedBreaker: BreakerState = { failedAt: [], openUntil: 0, openings: 0 };

export function isOpen(state: BreakerState, now: number): boolean {
  return now < state.openUntil;
}

/**
 * A breaker that was open and is no longer is half-open until a success: one more failure opens it again, for
 * twice as long. That is forgotten when nothing failed for `withinMs` after it had closed by time.
 */
export function afterFailure(state: BreakerState, rule: BreakerRule, now: number): BreakerState {
  // Calls begun before it opened fail for the reason it opened for.
  if (isOpen(state, now)) return state;
  const halfOpen = state.openings > 0 && now - state.openUntil < rule.withinMs;
  const failedAt = [...state.failedAt.filter((at) => now - at < rule.withinMs), now];
  if (!halfOpen && failedAt.length < rule.failures) return { failedAt, openUntil: 0, openings: 0 };
  const openings = halfOpen ? state.openings : 0;
  const openMs = Math.min(rule.openMs * 2 ** openings, rule.openMaxMs);
  return { failedAt: [], openUntil: now + openMs, openings: openings + 1 };
}

export function afterSuccess(state: BreakerState): BreakerState {
  return state === closedBreaker ? state : closedBreaker;
}
