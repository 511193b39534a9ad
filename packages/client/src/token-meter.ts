/** How fast an answer is being made. */
export type TokenMeter = {
  /** So many tokens there were at this time, of whatever clock. Fewer than before: it began anew. */
  record(tokens: number, atMs: number): void;
  readonly tokens: number;
  /** Tokens per second lately; undefined: not known yet. */
  perSecond(): number | undefined;
};

/** Older counts say little about now. Milliseconds. */
const windowMs = 6_000;

export function createTokenMeter(): TokenMeter {
  let counts: { tokens: number; atMs: number }[] = [];
  return {
    record(tokens, atMs) {
      const last = counts.at(-1);
      if (last && tokens < last.tokens) counts = [];
      counts = [...counts.filter((count) => atMs - count.atMs <= windowMs), { tokens, atMs }];
    },
    get tokens() {
      return counts.at(-1)?.tokens ?? 0;
    },
    perSecond() {
      const begun = counts.filter(({ tokens }) => tokens > 0);
      const [first, last] = [begun[0], begun.at(-1)];
      if (!first || !last || last.atMs === first.atMs) return undefined;
      return ((last.tokens - first.tokens) * 1_000) / (last.atMs - first.atMs);
    },
  };
}
