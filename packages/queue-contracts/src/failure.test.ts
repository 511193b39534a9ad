import { describe, expect, test } from "vitest";
import {
  type FailureCode,
  failureCodeSchema,
  failureCodes,
  formatFailedReason,
  parseFailedReason,
} from "./failure.ts";
import { isFinalState, jobStateSchema, stateOfFailure } from "./job-state.ts";

const codes = Object.keys(failureCodes) as FailureCode[];

describe("a failed reason", () => {
  test.each(codes)("brings %s back with its message", (code) => {
    for (const message of [
      "plain words",
      "",
      "with: a colon",
      "two\nlines",
      "internal_error: of another",
      "  spaces ",
    ]) {
      expect(parseFailedReason(formatFailedReason({ code, message }))).toEqual({ code, message });
    }
  });

  test("that BullMQ wrote when the job stalled too often is a lost worker", () => {
    expect(parseFailedReason("job stalled more than allowable limit").code).toBe("worker_lost");
  });

  test.each([
    "job started more than allowable limit",
    "Missing lock for job 7. moveToFinished",
    "TypeError: Cannot read properties of undefined (reading 'prompt')",
    "constructor: no code of ours",
    "toString: no code of ours",
    "Unknown: shape",
    "",
  ])("of somebody else (%s) is an internal error that repeats nothing of it", (reason) => {
    const { code, message } = parseFailedReason(reason);
    expect(code).toBe("internal_error");
    if (reason !== "") expect(message).not.toContain(reason);
  });
});

test("every code says what happened, what to do, and whether trying again can help", () => {
  expect(failureCodeSchema.options).toEqual(codes);
  for (const code of codes) {
    const { meaning, action, retryable } = failureCodes[code];
    expect(`${meaning} ${action}`).toMatch(/^[A-Z].*\. [A-Z].*\.$/);
    expect(typeof retryable).toBe("boolean");
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
  }
});

test("a failure ends a job as failed, except for the three with a state of their own", () => {
  const special = new Set(["cancelled", "expired", "timed_out"]);
  for (const code of codes) expect(stateOfFailure(code)).toBe(special.has(code) ? code : "failed");
});

test("five states are final", () => {
  expect(jobStateSchema.options.filter(isFinalState)).toEqual([
    "completed",
    "failed",
    "cancelled",
    "expired",
    "timed_out",
  ]);
});
