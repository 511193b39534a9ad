import { expect, test } from "vitest";
import { type EtaFactors, etaRangeMs, learnFactors, priorFactors } from "./eta-range.ts";

const rounded = (plainMs: number, factors: EtaFactors): number[] => {
  const { lowMs, waitMs, highMs } = etaRangeMs(plainMs, factors);
  return [lowMs, waitMs, highMs].map(Math.round);
};

test("a range holds its point and never begins before now", () => {
  expect(rounded(0, priorFactors)).toEqual([0, 0, 1_718]);
  expect(rounded(9_000, priorFactors)).toEqual([3_966, 9_000, 26_183]);
  const inverted = { mid: Math.LN2, low: 1, high: -1 };
  expect(rounded(4_000, { soon: inverted, later: inverted })).toEqual([9_000, 9_000, 9_000]);
});

test("what short waits teach is not believed of long ones", () => {
  let factors = priorFactors;
  for (let job = 0; job < 100; job++) factors = learnFactors(factors, 100, 100);
  expect(factors.later).toEqual(priorFactors.later);
  expect(rounded(100, factors)).not.toEqual(rounded(100, priorFactors));
});

/** Evenly between a half and three times what is before each: by no distribution it knows of. */
const tookMs = (job: number): number => 10_000 * (0.5 + (2.5 * ((job * 7_919) % 1_000)) / 1_000);

test("it learns until four of five starts fall into the range and half are before its point, however wrong it began", () => {
  const wrong = { mid: -2, low: 3, high: -3 };
  let factors: EtaFactors = { soon: wrong, later: wrong };
  let [held, early, beforePoint] = [0, 0, 0];
  const jobs = 4_000;
  for (let job = 0; job < 2 * jobs; job++) {
    const { lowMs, waitMs, highMs } = etaRangeMs(10_000, factors);
    const took = tookMs(job);
    if (job >= jobs) {
      if (took >= lowMs && took <= highMs) held++;
      if (took < lowMs) early++;
      if (took < waitMs) beforePoint++;
    }
    factors = learnFactors(factors, 10_000, took);
  }
  expect(held / jobs).toBeGreaterThan(0.75);
  expect(held / jobs).toBeLessThan(0.85);
  expect(early / jobs).toBeGreaterThan(0.05);
  expect(early / jobs).toBeLessThan(0.15);
  expect(Math.abs(beforePoint / jobs - 0.5)).toBeLessThan(0.05);
});

test("two dozen jobs are enough to find out that everything takes twice as long", () => {
  let factors = priorFactors;
  for (let job = 0; job < 24; job++) factors = learnFactors(factors, 9_000, 19_000);
  expect(Math.abs(etaRangeMs(9_000, factors).waitMs - 19_000)).toBeLessThan(1_500);
});
