import { expect, test } from "vitest";
import type { Target } from "./command.ts";
import { decideChange, type LetterFacts } from "./decide-change.ts";

const failedAt = "2026-01-31T08:00:00.000Z";
const dead: LetterFacts = { state: "dead", failedAt, payloadValid: true, changedBy: [] };
const ids: Target = { ids: ["a"] };
const failures: Target = { failures: [{ id: "a", failed_at: failedAt }] };

test.each([
  ["a dead letter is redriven", "redrive", ids, dead, "apply"],
  ["a parked one is redriven by id", "redrive", ids, { ...dead, state: "parked" }, "apply"],
  ["a dropped one is redriven by id", "redrive", ids, { ...dead, state: "dropped" }, "apply"],
  ["a redriven one is on its way already", "redrive", ids, { ...dead, state: "redriven" }, "skipped"],
  ["an unreadable payload is not redriven", "redrive", ids, { ...dead, payloadValid: false }, "invalid"],
  ["an unreadable payload is parked", "park", ids, { ...dead, payloadValid: false }, "apply"],
  ["a parked one is not parked again", "park", ids, { ...dead, state: "parked" }, "skipped"],
  ["a parked one is dropped", "drop", ids, { ...dead, state: "parked" }, "apply"],
  ["a redriven one is not dropped", "drop", ids, { ...dead, state: "redriven" }, "skipped"],
  ["a redriven one is erased", "erase", ids, { ...dead, state: "redriven" }, "apply"],
  ["what is not there is missing", "redrive", ids, undefined, "missing"],
  ["a filter without state means dead ones", "redrive", { filter: {} }, dead, "apply"],
  ["and not parked ones", "redrive", { filter: {} }, { ...dead, state: "parked" }, "skipped"],
  ["unless it says so", "redrive", { filter: { state: "parked" } }, { ...dead, state: "parked" }, "apply"],
  ["a letter this command changed is done", "redrive", ids, { ...dead, changedBy: ["act"] }, "done"],
  [
    "also when it was parked since",
    "redrive",
    ids,
    { ...dead, state: "parked", changedBy: ["other", "act"] },
    "done",
  ],
  ["one another command changed is not", "redrive", ids, { ...dead, changedBy: ["other"] }, "apply"],
  ["the policy redrives the failure it saw", "redrive", failures, dead, "apply"],
  ["and no later one", "redrive", failures, { ...dead, failedAt: "2026-02-01T00:00:00.000Z" }, "skipped"],
  ["nor one a person parked", "redrive", failures, { ...dead, state: "parked" }, "skipped"],
] as const)("%s", (_, action, target, letter, change) => {
  expect(decideChange(action, "act", target, "a", letter)).toBe(change);
});
