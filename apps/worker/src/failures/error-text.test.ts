import { expect, test } from "vitest";
import { errorText, firstClause } from "./error-text.ts";

const wrap = (error: unknown): string => JSON.stringify({ error });

test.each([
  ["plain text", "404 page not found", "404 page not found"],
  ["nothing", "", ""],
  ["space around it", "  oops \n", "oops"],
  ["Ollama's JSON", wrap("oops"), "oops"],
  ["llama-server's JSON as the text", wrap(wrap({ code: 400, message: "oops" })), "oops"],
  ["the same once more", wrap(wrap(wrap("oops"))), "oops"],
  ["OpenAI's shape", wrap({ message: "oops", type: "api_error", param: null }), "oops (api_error)"],
  ["a type beside nested words", wrap({ message: wrap("oops"), type: "api_error" }), "oops"],
  ["an empty error", wrap(""), ""],
  ["an error that is no text", wrap(["oops"]), '["oops"]'],
  ["an error that is null", wrap(null), "null"],
  ["JSON that ends too early", '{"error":"oo', '{"error":"oo'],
  ["JSON without an error", '{"status":"oops"}', '{"status":"oops"}'],
])("%s", (_, body, words) => {
  expect(errorText(body)).toBe(words);
});

test("a text without end is cut", () => {
  expect(errorText("x".repeat(10_000)).length).toBeLessThanOrEqual(400);
});

test("JSON within JSON without end is given up", () => {
  let body = "oops";
  for (let depth = 0; depth < 10; depth++) body = wrap(body);
  expect(errorText(body)).toMatch(/^\{"error"/);
});

test.each([
  ["cannot do this: details", "cannot do this"],
  ['cannot find "x"', "cannot find"],
  ["two\nlines", "two"],
  ["{}", ""],
  ["x".repeat(1_000), "x".repeat(160)],
])("the first clause of %s", (text, clause) => {
  expect(firstClause(text)).toBe(clause);
});
