/** OpenAI's SDKs ignore a Retry-After above 60 s and come back at once; half of a wait is added at random. */
const drainMaxS = 40;

/**
 * Seconds until `excess` jobs more than fit have been worked off at `perS` jobs per second, plus up to half of
 * that at random, so that those refused together do not come back together. Between 1 and 60: when nothing is
 * being finished, nobody can tell.
 */
export function retryAfterS(excess: number, perS: number, random: number): number {
  const drainS = perS > 0 ? Math.min(drainMaxS, Math.max(0, excess) / perS) : drainMaxS;
  return Math.max(1, Math.ceil(drainS * (1 + random / 2)));
}

/** For what no drain rate can tell: about `baseS` seconds, up to half of it more. */
export function backoffS(baseS: number, random: number = Math.random()): number {
  return Math.ceil(baseS * (1 + random / 2));
}
