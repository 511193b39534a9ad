import { expect, test } from "vitest";
import { decideEnding } from "./decide-ending.ts";

test.each([
  ["in time it goes on", "in_progress", 99, undefined],
  ["when its window closes it expires", "in_progress", 100, "expired"],
  ["somebody wants it cancelled", "cancelling", 99, "cancelled"],
  ["cancelled and late, it is cancelled", "cancelling", 200, "cancelled"],
] as const)("%s", (_, status, nowS, ending) => {
  expect(decideEnding(status, nowS, 100)).toBe(ending);
});
