import { expect, test } from "vitest";
import { findSchemaFault } from "./find-schema-fault.ts";

const nested = (levels: number): object =>
  Array.from({ length: levels }).reduce<object>((inner) => ({ not: inner }), {});

test.each<[string, unknown]>([
  ["nothing", {}],
  ["true", true],
  [
    "what zod and pydantic write",
    {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { at: { type: "string", format: "date-time" }, of: { $ref: "#/$defs/Of" } },
      required: ["at"],
      additionalProperties: false,
      $defs: { Of: { anyOf: [{ type: "null" }, { enum: ["a", 1] }], title: "Of", default: null } },
    },
  ],
  ["a tree that refers to itself", { properties: { child: { $ref: "#" } } }],
  ["an anchor", { $defs: { a: { $anchor: "a" } }, $ref: "#a" }],
  ["an escaped pointer", { $defs: { "a/b": {} }, $ref: "#/$defs/a~1b" }],
  ["keywords nobody knows", { "x-order": 1, examples: "any" }],
  ["a property named as a keyword", { properties: { type: { type: "string" }, pattern: {} } }],
  ["draft 4's exclusive limits", { minimum: 1, exclusiveMinimum: true }],
])("%s can be checked", (_, schema) => {
  expect(findSchemaFault(schema)).toBeUndefined();
});

test.each<[unknown, string, RegExp]>([
  [[], "", /must be a JSON Schema/],
  [{ type: "text" }, "type", /one of null, boolean/],
  [{ properties: { age: { type: 7 } } }, "properties.age.type", /one of null/],
  [{ properties: { "two words": 1 } }, 'properties["two words"]', /must be a JSON Schema/],
  [{ anyOf: [{}, { required: "a" }] }, "anyOf[1].required", /list of texts/],
  [{ properties: { a: { required: true } } }, "properties.a.required", /list of texts/],
  [{ items: { enum: [] } }, "items.enum", /not empty/],
  [{ allOf: {} }, "allOf", /list of schemas/],
  [{ pattern: "(" }, "pattern", /regular expression/],
  [{ pattern: "a".repeat(2_001) }, "pattern", /at most 2000/],
  [{ patternProperties: { "[": {} } }, 'patternProperties["["]', /regular expression/],
  [{ $ref: "https://example.com/a.json" }, "$ref", /nothing is fetched/],
  [{ $ref: "other.json#/a" }, "$ref", /nothing is fetched/],
  [{ $ref: "#/$defs/none" }, "$ref", /refers to nothing/],
  [{ $ref: "#/constructor" }, "$ref", /refers to nothing/],
  [{ $ref: "#%" }, "$ref", /refers to nothing/],
  [{ $dynamicRef: "#a" }, "$dynamicRef", /use \$ref/],
  [{ properties: { a: { $id: "https://example.com" } } }, "properties.a.$id", /at the top/],
  [{ minLength: -1 }, "minLength", /whole number/],
  [{ maximum: "5" }, "maximum", /must be a number/],
  [{ multipleOf: 0 }, "multipleOf", /above 0/],
  [{ uniqueItems: 1 }, "uniqueItems", /true or false/],
])("%j is wrong at %s", (schema, path, message) => {
  expect(findSchemaFault(schema)).toEqual({ path, message: expect.stringMatching(message) });
});

test("what is too large or too deep is refused, not walked to its end", () => {
  expect(findSchemaFault(nested(100))?.message).toMatch(/at most 64 levels/);
  expect(findSchemaFault({ anyOf: Array.from({ length: 20_000 }, () => ({})) })?.message).toMatch(
    /at most 10000 schemas/,
  );
});
