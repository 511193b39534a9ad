/**
 * How far the truth was from what was foretold: logarithms of the ratio below which a tenth and nine tenths of jobs
 * stay. A ratio is of waits with a second added, so that a wait of nothing has one.
 */
export type EtaFactors = { readonly low: number; readonly high: number };

/** Before anything is known: half to twice. */
export const priorFactors: EtaFactors = { low: -Math.LN2, high: Math.LN2 };

const secondMs = 1_000;
/** How far one job moves a bound: a few dozen make up for a change of the load. */
export const etaStep = 0.05;
const lowQuantile = 0.1;
const highQuantile = 0.9;

/** Where in which the truth lies four times of five, around a wait that was foretold. */
export function etaRangeMs(waitMs: number, factors: EtaFactors): { lowMs: number; highMs: number } {
  const scaled = (factor: number): number => (waitMs + secondMs) * Math.exp(factor) - secondMs;
  return {
    lowMs: Math.min(waitMs, Math.max(0, scaled(factors.low))),
    highMs: Math.max(waitMs, scaled(factors.high)),
  };
}

/** What the factors are after one more job began: each moves until its share of jobs is below it. Redis does the same. */
export function learnFactors(factors: EtaFactors, foretoldMs: number, tookMs: number): EtaFactors {
  const error = Math.log((tookMs + secondMs) / (foretoldMs + secondMs));
  return {
    low: factors.low + etaStep * (lowQuantile - (error < factors.low ? 1 : 0)),
    high: factors.high + etaStep * (highQuantile - (error < factors.high ? 1 : 0)),
  };
}
