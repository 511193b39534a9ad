import { expect, test } from "vitest";
import { splitLines } from "./split-lines.ts";

async function split(chunks: readonly string[], bytesMax = 100, from?: Parameters<typeof splitLines>[2]) {
  const stream = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
  })();
  const lines = [];
  for await (const { bytes, ...place } of splitLines(stream, bytesMax, from)) {
    lines.push([place.index, place.line, place.offset, bytes?.toString() ?? "too long"]);
  }
  return lines;
}

test.each([
  [
    "lines",
    ["a\nbc\n"],
    [
      [0, 1, 0, "a"],
      [1, 2, 2, "bc"],
    ],
  ],
  [
    "a last line without an end",
    ["a\nbc"],
    [
      [0, 1, 0, "a"],
      [1, 2, 2, "bc"],
    ],
  ],
  [
    "a line over chunks",
    ["a", "b", "c\nd"],
    [
      [0, 1, 0, "abc"],
      [1, 2, 4, "d"],
    ],
  ],
  ["blank lines count as lines and not as entries", ["\n \t\r\na\n\n"], [[0, 3, 5, "a"]]],
  [
    "an end of a line of its own chunk",
    ["a", "\n", "b"],
    [
      [0, 1, 0, "a"],
      [1, 2, 2, "b"],
    ],
  ],
  [
    "characters of several bytes",
    ["é\nü"],
    [
      [0, 1, 0, "é"],
      [1, 2, 3, "ü"],
    ],
  ],
  ["nothing", [], []],
])("%s", async (_, chunks, expected) => {
  expect(await split(chunks)).toEqual(expected);
});

test("a line that is too long is named and not kept, and the next one begins where it should", async () => {
  expect(await split(["aaa", "aaa", "aa\nb"], 4)).toEqual([
    [0, 1, 0, "too long"],
    [1, 2, 9, "b"],
  ]);
});

test("from the middle of a file, lines are counted on", async () => {
  expect(await split(["c\nd"], 4, { index: 7, offset: 50, line: 9 })).toEqual([
    [7, 9, 50, "c"],
    [8, 10, 52, "d"],
  ]);
});
