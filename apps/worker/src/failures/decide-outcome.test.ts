import type { StartRecord } from "@forebay/queue-contracts";
import { describe, expect, test } from "vitest";
import type { Classification } from "./classification.ts";
import { decideOutcome } from "./decide-outcome.ts";

const failed = (fields: Partial<Classification>): Classification => ({
  code: "backend_reset",
  message: "it broke",
  disposition: "retry",
  breaker: "none",
  ...fields,
});
const startsWith = (...codes: string[]): StartRecord[] =>
  codes.map((code) => ({ at: "2026-01-01T00:00:00.000Z", worker: "w", outcome: "retry", code }));
const failure = { code: "backend_reset", message: "it broke" };

test("what cannot succeed is discarded", () => {
  expect(decideOutcome(failed({ disposition: "discard" }), [], 0)).toEqual({ kind: "discard", failure });
});

test("what is not the job's fault costs nothing, however often it happens", () => {
  const overload = failed({ disposition: "free", delayMs: [1_000, 15_000] });
  const often = startsWith(...Array.from({ length: 50 }, () => "backend_reset"));
  expect(decideOutcome(overload, often, 0)).toEqual({ kind: "throttled", failure, delayMs: 1_000 });
  expect(decideOutcome(overload, often, 0.5)).toMatchObject({ delayMs: 8_000 });
  expect(decideOutcome(failed({ disposition: "free" }), [], 0)).toMatchObject({ delayMs: 1_000 });
});

test("what happens to a job again and again may be its own fault, and begins to cost", () => {
  const reset = failed({ disposition: "free", freeMax: 2 });
  expect(decideOutcome(reset, startsWith("backend_reset"), 0).kind).toBe("throttled");
  expect(decideOutcome(reset, startsWith("backend_reset", "backend_reset"), 0).kind).toBe("retry");
});

test("a retry waits within its own limits, and otherwise as the policy says", () => {
  const timed = failed({ delayMs: [2_000, 10_000] });
  expect(decideOutcome(timed, [], 0)).toEqual({ kind: "retry", failure, delayMs: 2_000 });
  expect(decideOutcome(timed, [], 0.9999)).toMatchObject({ delayMs: 9_999 });
  expect(decideOutcome(failed({}), [], 0.5)).toEqual({ kind: "retry", failure, delayMs: undefined });
});

describe("a failure that is tried again so many times", () => {
  const once = failed({ code: "truncated_answer", retriesMax: 1 });
  test.each([
    ["the first time", [], "retry"],
    ["the second time", ["truncated_answer"], "discard"],
    ["after other failures", ["backend_reset", "backend_stuck"], "retry"],
  ] as const)("%s", (_, before, kind) => {
    expect(decideOutcome(once, startsWith(...before), 0).kind).toBe(kind);
  });
});

describe("a job that crashes its runner", () => {
  const crash = failed({ code: "runner_crashed", message: "gone", retriesMax: 2, breaker: "crash" });
  test("is tried once more", () => {
    expect(decideOutcome(crash, startsWith("backend_reset"), 0).kind).toBe("retry");
  });
  test("twice is poison, and says so", () => {
    const outcome = decideOutcome(crash, startsWith("runner_crashed"), 0);
    expect(outcome).toMatchObject({ kind: "discard", failure: { code: "poison_job" } });
    expect(outcome).toHaveProperty("failure.message", expect.stringContaining("2 times; last: gone"));
  });
});
