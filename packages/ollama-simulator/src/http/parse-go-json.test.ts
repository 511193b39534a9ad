import { expect, test } from "vitest";
import { parseGoJson } from "./parse-go-json.ts";

test.each([
  ["", "missing request body"],
  [" \n", "missing request body"],
  ['{"model":', "unexpected EOF"],
  ['{"model": "a', "unexpected EOF"],
  ["hello", "invalid character 'h' looking for beginning of value"],
  ["{model: 1}", "invalid character 'm' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a": 1 "b"}', "invalid character '\"' after object key:value pair"],
  ["[1 2]", "invalid character '2' after array element"],
  ["'a'", "invalid character '\\'' looking for beginning of value"],
])("%j is a 400 in Go's words", (text, message) => {
  expect(() => parseGoJson(text)).toThrow(expect.objectContaining({ status: 400, message }));
});

test("what follows the first value is not looked at", () => {
  expect(parseGoJson('{"a":1} {"b":2}')).toEqual({ a: 1 });
});
