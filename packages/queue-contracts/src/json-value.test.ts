import { expect, test } from "vitest";
import { jsonDepthMax, jsonValueSchema } from "./json-value.ts";

const nested = (levels: number): unknown => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);
const cyclic: unknown[] = [];
cyclic.push(cyclic);

test.each([
  ["a text", "x"],
  ["a number", 0.5],
  ["true", true],
  ["null", null],
  ["an empty list", []],
  ["an object of everything", { a: [1, { b: null }], c: "d" }],
  ["an object without a prototype", Object.assign(Object.create(null) as object, { a: 1 })],
  [`${jsonDepthMax} levels`, nested(jsonDepthMax)],
])("%s is a JSON value and comes through as it is", (_, value) => {
  expect(jsonValueSchema.parse(value)).toBe(value);
});

test.each([
  ["undefined", undefined],
  ["a function", () => 1],
  ["a bigint", 1n],
  ["NaN", Number.NaN],
  ["infinity", [Number.POSITIVE_INFINITY]],
  ["a date", new Date()],
  ["a map inside", { a: new Map() }],
  ["undefined inside", { a: undefined }],
  [`${jsonDepthMax + 2} levels`, nested(jsonDepthMax + 2)],
  ["100,000 levels", nested(100_000)],
  ["itself, for ever", cyclic],
])("%s is not", (_, value) => {
  expect(jsonValueSchema.safeParse(value).success).toBe(false);
});
