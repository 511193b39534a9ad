import { expect, test } from "vitest";
import { decideIndexRepair } from "./decide-index-repair.ts";

const hour = 3_600_000;

test.each([
  ["an open job in open stays", "open", "open", undefined, hour, "keep"],
  ["an ended job in ended stays", "ended", "ended", undefined, hour, "keep"],
  ["an ended job in open is watched at first", "open", "ended", undefined, hour, "watch"],
  ["and moved when it is still there", "open", "ended", "ended", hour, "to-ended"],
  ["an open job in ended is watched at first", "ended", "open", undefined, hour, "watch"],
  ["and moved when it is still there", "ended", "open", "open", hour, "to-open"],
  ["a job that is gone is watched at first", "ended", "gone", undefined, hour, "watch"],
  ["and forgotten when it is still gone", "ended", "gone", "gone", hour, "remove"],
  ["a young job that is not there yet is waited for", "open", "gone", "gone", 1_000, "keep"],
  ["a job with an id from the future is waited for", "open", "gone", "gone", -hour, "keep"],
  ["what looked wrong in another way is watched again", "open", "ended", "gone", hour, "watch"],
] as const)("%s", (_, indexed, place, before, ageMs, repair) => {
  expect(decideIndexRepair({ indexed, place, before, ageMs })).toBe(repair);
});
