import { expect, test } from "vitest";
import { matchesEtag } from "./etag.ts";

test.each([
  [undefined, false],
  ["", false],
  ['W/"a"', true],
  ['"a"', true],
  ['"b", W/"a"', true],
  ["*", true],
  ['"b"', false],
  ["a", false],
])("If-None-Match: %s", (header, matches) => {
  expect(matchesEtag(header, 'W/"a"')).toBe(matches);
});
