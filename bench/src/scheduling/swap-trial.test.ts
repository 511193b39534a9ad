import { expect, test } from "vitest";
import { lowerBoundMs } from "./lower-bound.ts";
import { runSwapTrial, type TrialHosts, type TrialJob } from "./swap-trial.ts";

const given: TrialHosts = {
  hosts: 1,
  holds: 1,
  slots: 2,
  loadMs: 3_000,
  passedOverMsMax: 60_000,
  pace: { stayLoads: 4, turnLoads: 2 },
};
const job = (fields: Partial<TrialJob>): TrialJob => ({
  atMs: 0,
  model: "a",
  flow: "x",
  weight: 4,
  expectedMs: 1_000,
  trueMs: 1_000,
  ...fields,
});
/** Twice what the host can do, for so many seconds. */
const flood = (fields: Partial<TrialJob>, seconds: number): TrialJob[] =>
  Array.from({ length: seconds * 4 }, (_, index) => job({ ...fields, atMs: index * 250 }));
const inOrder = (...all: TrialJob[][]): TrialJob[] => all.flat().toSorted((a, b) => a.atMs - b.atMs);

test("a lone job for another model under a flood that never ends is started within its bound", () => {
  const lone = job({ atMs: 100_000, model: "b", flow: "y" });
  const jobs = inOrder(flood({}, 400), [lone]);
  const { loads, passedOverMs } = runSwapTrial(jobs, given, 400_000);
  // There and back.
  expect(loads).toBe(3);
  expect(Math.max(...passedOverMs)).toBeLessThanOrEqual(61_000);
});

test("a host with room for one more model loads it as soon as a job waits for it, and works on meanwhile", () => {
  const lone = job({ atMs: 100_000, model: "b", flow: "y" });
  const jobs = inOrder(flood({}, 200), [lone]);
  const { loads, passedOverMs, servedMs } = runSwapTrial(jobs, { ...given, holds: 2 }, 200_000);
  expect(loads).toBe(2);
  expect(Math.max(...passedOverMs)).toBeLessThanOrEqual(1_000);
  // Two slots, but for the first load.
  expect(servedMs.get("x")).toBeGreaterThanOrEqual(2 * 196_000);
});

test("tenants whose models take turns in one memory get GPU time by their weights", () => {
  const jobs = inOrder(
    flood({ model: "a", flow: "one", weight: 4 }, 4_000),
    flood({ model: "b", flow: "three", weight: 12 }, 4_000),
  );
  const { servedMs, loads } = runSwapTrial(jobs, given, 4_000_000);
  const share = (servedMs.get("three") ?? 0) / (servedMs.get("one") ?? 1);
  expect(share).toBeGreaterThan(3 * 0.95);
  expect(share).toBeLessThan(3 * 1.05);
  expect(loads).toBeLessThan(4_000 / 60);
});

test("with twenty models a host still works most of its time, and serves all of them", () => {
  const jobs = inOrder(
    ...Array.from({ length: 20 }, (_, index) =>
      flood({ model: `m${index}` }, 100).filter((__, at) => at % 10 === 0),
    ),
  );
  const { makespanMs, waitsMs } = runSwapTrial(jobs, given);
  expect(waitsMs).toHaveLength(jobs.length);
  expect(makespanMs / lowerBoundMs(jobs, 2, 3_000)).toBeLessThan(1.5);
});
