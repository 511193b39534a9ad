import { expect, test } from "vitest";
import { chooseVictim } from "./choose-victim.ts";

const never = Number.POSITIVE_INFINITY;

test.each([
  ["nothing loaded", [], undefined],
  [
    "the shortest keep_alive goes first",
    [
      ["a", 9, 0],
      ["b", 5, 0],
    ],
    "b",
  ],
  [
    "equal keep_alive: by name, not by last use",
    [
      ["b", 5, 0],
      ["a", 5, 0],
    ],
    "a",
  ],
  [
    "an idle one goes before a busy one with less keep_alive",
    [
      ["a", 1, 2],
      ["b", 9, 0],
    ],
    "b",
  ],
  [
    "all busy: the shortest keep_alive is waited for",
    [
      ["a", 9, 1],
      ["b", 5, 1],
    ],
    "b",
  ],
  [
    "for ever goes last",
    [
      ["a", never, 0],
      ["b", 9, 0],
    ],
    "b",
  ],
  ["for ever goes when there is nothing else", [["a", never, 0]], "a"],
] as const)("%s", (_title, loaded, expected) => {
  const candidates = loaded.map(([key, keepAliveMs, users]) => ({ key, keepAliveMs, users }));
  expect(chooseVictim(candidates)?.key).toBe(expected);
});
