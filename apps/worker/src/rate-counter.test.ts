import { expect, test } from "vitest";
import { createRateCounter } from "./rate-counter.ts";

const start = 1_795_000_000_000;

test("what happened within the last minute counts, and nothing older", () => {
  const counter = createRateCounter();
  expect(counter.perS(start)).toBe(0);
  for (let i = 0; i < 120; i++) counter.note(start + i * 500);
  expect(counter.perS(start + 59_999)).toBe(2);
  expect(counter.perS(start + 89_999)).toBe(1);
  expect(counter.perS(start + 120_000)).toBe(0);
});

test("a second that comes around again starts from nothing", () => {
  const counter = createRateCounter();
  for (let i = 0; i < 600; i++) counter.note(start);
  counter.note(start + 60_000);
  expect(counter.perS(start + 60_000)).toBe(1 / 60);
});

test("a clock that was set back loses the rate and nothing else", () => {
  const counter = createRateCounter();
  counter.note(start);
  counter.note(start - 600_000);
  expect(counter.perS(start - 600_000)).toBeGreaterThan(0);
});
