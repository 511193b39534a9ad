import { describe, expect, test } from "vitest";
import { isForcedToOne, type LearnedSlots, learnSlots, oneSlot, type SlotSample } from "./learn-slots.ts";

/** A host whose calls, `running` of them, are together this fast. */
function learnOn(total: (running: number) => number, calls: number, from = oneSlot): LearnedSlots {
  let state = from;
  for (let call = 0; call < calls; call++) {
    const running = state.slots;
    state = learnSlots(state, { running, tokensPerS: total(running) / running, waitedShare: 0 }, 1_000);
  }
  return state;
}

test("one slot is where it begins, and stays until several calls have shown its rate", () => {
  expect(learnOn(() => 60, 3).slots).toBe(1);
});

test.each([
  ["that gets no faster by parallel calls", () => 60, 1],
  ["that is twice as fast with two, and no faster with more", (n: number) => 60 * Math.min(n, 2), 2],
  ["that scales to four", (n: number) => 60 * Math.min(n, 4), 4],
  ["that gains 5 % with the second", (n: number) => 60 + 3 * n, 1],
])("a host %s gets %i", (_, total, slots) => {
  expect(learnOn(total, 200).slots).toBe(slots);
});

test("a call that Ollama let wait shows that it has fewer slots", () => {
  const tried = { ...oneSlot, slots: 3 };
  const waited: SlotSample = { running: 3, tokensPerS: 20, waitedShare: 0.5 };
  const state = learnSlots(tried, waited, 1_000);
  expect(state.slots).toBe(2);
  expect(learnOn((n) => 60 * n, 50, state).slots).toBe(2);
});

test("what was too many is tried again when ten minutes have passed", () => {
  const state = learnOn(() => 60, 200);
  const later = state.doubtAt + 1;
  let again = state;
  for (let call = 0; call < 4; call++) {
    again = learnSlots(again, { running: again.slots, tokensPerS: 60, waitedShare: 0 }, later);
  }
  expect(again.slots).toBe(2);
});

test("calls that had the host to themselves say nothing about many", () => {
  const two = { ...oneSlot, slots: 2 };
  expect(learnSlots(two, { running: 1, tokensPerS: 60, waitedShare: 0 }, 0)).toMatchObject({
    slots: 2,
    calls: 0,
  });
});

describe("one call at a time, whatever is configured", () => {
  test.each([
    [["bert"], ["embedding"], true],
    [["mllama"], ["completion", "vision"], true],
    [["qwen3vl"], ["completion"], true],
    [["qwen3vlmoe"], ["completion"], true],
    [["nemotron_h_moe"], ["completion"], true],
    [["llama"], ["completion"], false],
    [["qwen3"], ["completion", "embedding"], false],
    [[], [], false],
  ])("%j that can %j: %s", (families, capabilities, forced) => {
    expect(isForcedToOne({ families, capabilities })).toBe(forced);
  });
});
