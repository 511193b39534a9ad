import { expect, test } from "vitest";
import { filledTextSchema, nameSchema, textSchema } from "./text.ts";

test.each([
  ["empty", "", true],
  ["plain", "Why is the sky blue?", true],
  ["many-lined", "a\n\tb\r\n", true],
  ["beyond the basic plane", "🌊 𝒻", true],
  ["right to left", "سلام", true],
  ["holding a control character that runners take", "\u0001\u007f", true],
  ["holding a replacement character", "\ufffd", true],
  ["holding NUL", "a\0b", false],
  ["ending in half a character", "🌊".slice(0, 1), false],
  ["beginning with half a character", "🌊".slice(1), false],
  ["holding halves in the wrong order", "\udf0a\ud83c", false],
])("text %s: accepted = %s", (_, text, accepted) => {
  expect(textSchema.safeParse(text).success).toBe(accepted);
  expect(filledTextSchema.safeParse(text).success).toBe(accepted && text !== "");
});

test.each([
  ["acme", true],
  ["team-7/eu.west_1@prod+x", true],
  ["Straße", true],
  ["x".repeat(64), true],
  ["x".repeat(65), false],
  ["", false],
  ["two words", false],
  ["a:b", false],
  ["{a}", false],
  ["a\n", false],
  ["*", false],
])("name %j: accepted = %s", (name, accepted) => {
  expect(nameSchema.safeParse(name).success).toBe(accepted);
});
