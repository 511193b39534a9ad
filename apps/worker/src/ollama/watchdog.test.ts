import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startWatchdog } from "./watchdog.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const open = new AbortController().signal;

test("silence before the first byte is allowed for its own time", () => {
  const watchdog = startWatchdog(open, 600_000, 1_000);
  vi.advanceTimersByTime(599_999);
  expect(watchdog.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(watchdog.signal.reason).toEqual({ kind: "silence", phase: "first_byte", limitMs: 600_000 });
});

test("after the first byte the shorter time holds, and starts anew with every sign of life", () => {
  const watchdog = startWatchdog(open, 600_000, 1_000);
  for (let token = 0; token < 100; token++) {
    watchdog.alive();
    vi.advanceTimersByTime(999);
  }
  expect(watchdog.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(watchdog.signal.reason).toEqual({ kind: "silence", phase: "between_tokens", limitMs: 1_000 });
});

test("a long time between tokens may be longer than that for the first byte", () => {
  const watchdog = startWatchdog(open, 10, 1_000);
  watchdog.alive();
  vi.advanceTimersByTime(999);
  expect(watchdog.signal.aborted).toBe(false);
});

test.each([
  ["before the first byte", 0],
  ["after it", 1],
  ["after many", 5],
])("stopped %s, it leaves no timer and never bites", (_, tokens) => {
  const watchdog = startWatchdog(open, 1_000, 1_000);
  for (let token = 0; token < tokens; token++) watchdog.alive();
  watchdog.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(10_000);
  expect(watchdog.signal.aborted).toBe(false);
});

test("what ends the job ends the call, for the same reason, also when it came before", () => {
  const job = new AbortController();
  const running = startWatchdog(job.signal, 1_000, 1_000);
  job.abort("cancelled");
  const late = startWatchdog(job.signal, 1_000, 1_000);
  expect([running.signal.reason, late.signal.reason]).toEqual(["cancelled", "cancelled"]);
});
