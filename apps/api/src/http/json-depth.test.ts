import { expect, test } from "vitest";
import { isDeeperThan } from "./json-depth.ts";

test.each([
  ["1", 0, false],
  ["[]", 0, true],
  ["[]", 1, false],
  ["[[]]", 1, true],
  ['{"a":[{"b":1}]}', 3, false],
  ['{"a":[{"b":1}]}', 2, true],
  ['{"a":1,"b":[[]]}', 2, true],
  ["null", 0, false],
])("%s within %d", (json, max, deeper) => {
  expect(isDeeperThan(JSON.parse(json), max)).toBe(deeper);
});
