import { expect, test } from "vitest";
import { parseKeepAlive } from "./parse-keep-alive.ts";

test.each([
  [undefined, undefined],
  [null, undefined],
  [0, 0],
  [30, 30_000],
  [0.5, 500],
  [-1, Number.POSITIVE_INFINITY],
  ["0", 0],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["1.5s", 1_500],
  ["250ms", 250],
  ["-1s", Number.POSITIVE_INFINITY],
])("%j is %s ms", (value, expected) => {
  expect(parseKeepAlive(value)).toBe(expected);
});

test.each([
  ["5", 'time: missing unit in duration "5"'],
  ["soon", 'time: invalid duration "soon"'],
  ["", 'time: invalid duration ""'],
  ["5 m", 'time: invalid duration "5 m"'],
  ["5d", 'time: unknown unit "d" in duration "5d"'],
  [true, "Unsupported type: 'bool'"],
  [["5m"], "Unsupported type: '[]interface {}'"],
])("%j is refused in Go's words", (value, message) => {
  expect(() => parseKeepAlive(value)).toThrow(expect.objectContaining({ status: 400, message }));
});
