/** When a breaker opens, and for how long. Times in milliseconds. */
export type BreakerRule = {
  /** So many failures … */ readonly failures: number;
  /** … within this time open it. */ readonly withinMs: number;
  /** First time it stays open this long, doubling each time it opens again without a success between. */
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

export function afterFailure(state: BreakerState, rule: BreakerRule, now: number): BreakerState {
  const failedAt = [...state.failedAt.filter((at) => now - at < rule.withinMs), now];
  if (failedAt.length < rule.failures) return { ...state, failedAt };
  const openMs = Math.min(rule.openMs * 2 ** state.openings, rule.openMaxMs);
  return { failedAt: [], openUntil: now + openMs, openings: state.openings + 1 };
}

export function afterSuccess(state: BreakerState): BreakerState {
  return state === closedBreaker ? state : closedBreaker;
}
