type Candidate = { key: string; keepAliveMs: number; users: number };

/**
 * Shortest keep_alive first, then by name, and of those the first that is idle. Not the least recently
 * used: with equal keep_alive it is always the same model that goes.
 */
export function chooseVictim<T extends Candidate>(loaded: Iterable<T>): T | undefined {
  const order = [...loaded].sort((a, b) => compare(a.keepAliveMs, b.keepAliveMs) || compare(a.key, b.key));
  return order.find((candidate) => candidate.users === 0) ?? order[0];
}

function compare<T extends number | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
