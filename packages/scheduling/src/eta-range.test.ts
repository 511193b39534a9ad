import { expect, test } from "vitest";
import { etaRangeMs, learnFactors, priorFactors } from "./eta-range.ts";

test("a range holds its point and never begins before now", () => {
  expect(etaRangeMs(0, priorFactors)).toEqual({ lowMs: 0, highMs: 1_000 });
  const { lowMs, highMs } = etaRangeMs(9_000, priorFactors);
  expect([Math.round(lowMs), Math.round(highMs)]).toEqual([4_000, 19_000]);
  expect(etaRangeMs(5_000, { low: 1, high: -1 })).toEqual({ lowMs: 5_000, highMs: 5_000 });
});

test("it learns until four of five starts fall into it, however wrong it began", () => {
  let factors = { low: 3, high: -3 };
  let held = 0;
  const jobs = 4_000;
  for (let job = 0; job < 2 * jobs; job++) {
    // Between a half and three times what was foretold, evenly: by no distribution it knows of.
    const tookMs = 10_000 * (0.5 + (2.5 * ((job * 7_919) % 1_000)) / 1_000);
    const { lowMs, highMs } = etaRangeMs(10_000, factors);
    if (job >= jobs && tookMs >= lowMs && tookMs <= highMs) held++;
    factors = learnFactors(factors, 10_000, tookMs);
  }
  expect(held / jobs).toBeGreaterThan(0.75);
  expect(held / jobs).toBeLessThan(0.85);
});
