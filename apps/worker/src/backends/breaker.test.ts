import { expect, test } from "vitest";
import { afterFailure, afterSuccess, type BreakerState, closedBreaker, isOpen } from "./breaker.ts";

const rule = { failures: 3, withinMs: 10_000, openMs: 1_000, openMaxMs: 5_000 };

/** Failures at these times, one after the other. */
const failAt = (...times: number[]): BreakerState =>
  times.reduce((state, now) => afterFailure(state, rule, now), closedBreaker);

/** Until when it is open after failing three times, and then once each time it closed by time. */
function openFor(times: number): number[] {
  let state = failAt(0, 0, 0);
  const lengths = [state.openUntil];
  while (lengths.length < times) {
    const now = state.openUntil;
    state = afterFailure(state, rule, now);
    lengths.push(state.openUntil - now);
  }
  return lengths;
}

test("it opens at the last failure of so many, not before", () => {
  expect(isOpen(closedBreaker, 0)).toBe(false);
  expect(isOpen(failAt(0, 1), 1)).toBe(false);
  expect(isOpen(failAt(0, 1, 2), 2)).toBe(true);
});

test("failures long ago do not count", () => {
  expect(isOpen(failAt(0, 1, 10_001), 10_001)).toBe(false);
  expect(isOpen(failAt(0, 5_000, 9_999), 9_999)).toBe(true);
});

test("it closes by time", () => {
  const state = failAt(0, 0, 0);
  expect(isOpen(state, 999)).toBe(true);
  expect(isOpen(state, 1_000)).toBe(false);
});

test("half-open, one failure opens it again, for twice as long up to the most", () => {
  expect(openFor(5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
});

test("what fails while it is open changes nothing: those calls began before", () => {
  const open = failAt(0, 0, 0);
  expect(afterFailure(open, rule, 500)).toEqual(open);
});

test("half-open is forgotten when nothing failed for long", () => {
  const quiet = afterFailure(failAt(0, 0, 0), rule, 11_000);
  expect(isOpen(quiet, 11_000)).toBe(false);
  const again = afterFailure(afterFailure(quiet, rule, 11_000), rule, 11_000);
  expect(again.openUntil).toBe(12_000);
});

test("a success closes it and forgets everything", () => {
  expect(afterSuccess(failAt(0, 0, 0))).toEqual(closedBreaker);
  expect(afterSuccess(failAt(0, 0))).toEqual(closedBreaker);
  expect(isOpen(afterFailure(afterSuccess(failAt(0, 0, 0)), rule, 1), 1)).toBe(false);
});
