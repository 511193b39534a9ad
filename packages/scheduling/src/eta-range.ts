/**
 * How far the truth is from the work before a job: logarithms of the ratio below which half of the jobs stay, and, as
 * distances from that, a tenth and nine tenths. A ratio is of waits with a second added, so that a wait of nothing has one.
 */
export type EtaSpread = { readonly mid: number; readonly low: number; readonly high: number };

/** Short waits end with the next job that ends; what others put meanwhile comes before the longer ones. */
export type EtaClass = "soon" | "later";
export type EtaFactors = Readonly<Record<EtaClass, EtaSpread>>;

/** Before anything is known: from half to not quite three times, since costs are not known either and others will come. */
export const priorSpread: EtaSpread = { mid: 0, low: -0.7, high: 1 };
export const priorFactors: EtaFactors = { soon: priorSpread, later: priorSpread };

export const etaSecondMs = 1_000;
/** How far one job moves a number: a dozen make up for a change of the load. */
export const etaStep = 0.08;
export const etaShares: EtaSpread = { mid: 0.5, low: 0.1, high: 0.9 };

export const etaClass = (plainMs: number): EtaClass => (plainMs < etaSecondMs ? "soon" : "later");

/** When to expect a start that is `plainMs` away by what is before it, and where it lies four times of five. */
export function etaRangeMs(
  plainMs: number,
  factors: EtaFactors,
): { waitMs: number; lowMs: number; highMs: number } {
  const { mid, low, high } = factors[etaClass(plainMs)];
  const scaled = (factor: number): number =>
    Math.max(0, (plainMs + etaSecondMs) * Math.exp(factor) - etaSecondMs);
  return {
    waitMs: scaled(mid),
    lowMs: scaled(mid + Math.min(0, low)),
    highMs: scaled(mid + Math.max(0, high)),
  };
}

/** What the factors are after one more job began: each moves until its share of jobs is below it. Redis does the same. */
export function learnFactors(factors: EtaFactors, plainMs: number, tookMs: number): EtaFactors {
  const name = etaClass(plainMs);
  const { mid, low, high } = factors[name];
  const error = Math.log((tookMs + etaSecondMs) / (plainMs + etaSecondMs));
  const step = (share: number, bound: number): number => etaStep * (share - (error < bound ? 1 : 0));
  const learned = {
    mid: mid + step(etaShares.mid, mid),
    low: low + step(etaShares.low, mid + low),
    high: high + step(etaShares.high, mid + high),
  };
  return { ...factors, [name]: learned };
}
