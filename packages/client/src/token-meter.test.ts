import { expect, test } from "vitest";
import { createTokenMeter } from "./token-meter.ts";

test.each<[string, [number, number][], number | undefined]>([
  ["nothing is known", [], undefined],
  ["one count says nothing", [[10, 0]], undefined],
  [
    "time before the first token does not count",
    [
      [0, 0],
      [0, 5_000],
      [10, 5_500],
      [30, 6_500],
    ],
    20,
  ],
  [
    "only the last six seconds count",
    [
      [100, 0],
      [200, 1_000],
      [210, 7_000],
      [220, 8_000],
    ],
    10,
  ],
  [
    "an answer that begins anew begins its count anew",
    [
      [500, 0],
      [10, 1_000],
      [30, 2_000],
    ],
    20,
  ],
  [
    "an answer that stands still slows down",
    [
      [10, 0],
      [30, 1_000],
      [30, 2_000],
    ],
    10,
  ],
  [
    "two counts at once say nothing",
    [
      [10, 0],
      [30, 0],
    ],
    undefined,
  ],
])("%s", (_, counts, expected) => {
  const meter = createTokenMeter();
  for (const [tokens, atMs] of counts) meter.record(tokens, atMs);
  expect(meter.perSecond()).toBe(expected);
  expect(meter.tokens).toBe(counts.at(-1)?.[0] ?? 0);
});
