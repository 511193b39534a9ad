import { expect, test } from "vitest";
import { backoffS, retryAfterS } from "./retry-after.ts";

test.each([
  // excess, jobs per second, random → seconds
  [1, 10, 0, 1],
  [100, 10, 0, 10],
  [100, 10, 0.999, 15],
  [100, 0.5, 0, 40],
  [100, 0.5, 0.999, 60],
  [1e9, 1, 0.999, 60],
  [1, 1e9, 0.999, 1],
  [0, 5, 0.5, 1],
  [-20, 5, 0.5, 1],
  // Nothing is being finished: nobody can tell, and nobody is told more than a minute.
  [1, 0, 0, 40],
  [1, 0, 0.999, 60],
])("%d too many at %d per second, random %d: %d s", (excess, perS, random, seconds) => {
  expect(retryAfterS(excess, perS, random)).toBe(seconds);
});

test.each([
  [2, 0, 2],
  [2, 0.999, 3],
  [20, 0.5, 25],
])("about %d s, random %d: %d s", (base, random, seconds) => {
  expect(backoffS(base, random)).toBe(seconds);
});
