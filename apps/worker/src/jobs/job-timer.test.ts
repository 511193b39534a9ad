import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startJobTimer } from "./job-timer.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("its signal says timed_out when the time is over, and not before", () => {
  const timer = startJobTimer(1_000);
  vi.advanceTimersByTime(999);
  expect(timer.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(timer.signal.reason).toBe("timed_out");
});

test("stopped, it never does, and leaves nothing behind", () => {
  const stopped = startJobTimer(10);
  stopped.stop();
  vi.advanceTimersByTime(1e9);
  expect([stopped.signal.aborted, vi.getTimerCount()]).toEqual([false, 0]);
});

test("a year from now is not now", () => {
  const timer = startJobTimer(366 * 24 * 3_600_000);
  vi.advanceTimersByTime(1_000);
  expect(timer.signal.aborted).toBe(false);
  timer.stop();
});
