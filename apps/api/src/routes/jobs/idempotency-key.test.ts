import { expect, test } from "vitest";
import { parseIdempotencyKey } from "./idempotency-key.ts";

test.each([
  ["bare", "8e03978e", undefined, "8e03978e"],
  ["quoted", '"8e03978e"', undefined, "8e03978e"],
  ["quoted with escapes", '"a\\"b\\\\c"', undefined, 'a"b\\c'],
  ["with spaces around", "  a b ", undefined, "a b"],
  ["from the body", undefined, "from-body", "from-body"],
  ["header before body", "header", "body", "header"],
  ["one character", "a", undefined, "a"],
  ["255 characters", "k".repeat(255), undefined, "k".repeat(255)],
  ["a quote inside a bare one", 'a"b', undefined, 'a"b'],
])("%s", (_, header, field, key) => {
  expect(parseIdempotencyKey(header, field)).toBe(key);
});

test("none is none", () => {
  expect(parseIdempotencyKey(undefined, undefined)).toBeUndefined();
});

test.each([
  ["empty", ""],
  ["only spaces", "  "],
  ["empty quotes", '""'],
  ["256 characters", "k".repeat(256)],
  ["an open quote", '"abc'],
  ["text after the quote", '"abc";p=1'],
  ["an unfinished escape", '"abc\\"'],
  ["a tab", "a\tb"],
  ["not ASCII", "ä"],
])("%s is refused", (_, header) => {
  expect(() => parseIdempotencyKey(header, undefined)).toThrow(/Idempotency-Key/);
  expect(() => parseIdempotencyKey(header, "good")).toThrow(/Idempotency-Key/);
});
