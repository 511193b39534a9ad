import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { describe, expect, test } from "vitest";
import { createInstance } from "./create-instance.ts";
import { UnusableSchemaError } from "./schema.ts";

const schemas: Record<string, object | boolean> = {
  "anything at all": {},
  "a bare type": { type: "boolean" },
  null: { type: "null" },
  "several types": { type: ["string", "null"] },
  const: { const: { a: [1, null] } },
  enum: { enum: ["red", 3, null] },
  "an object with optional properties": {
    type: "object",
    properties: { name: { type: "string" }, age: { type: "integer" } },
    required: ["name"],
    additionalProperties: false,
  },
  "a required property without schema": { type: "object", required: ["id"] },
  "a map": { type: "object", additionalProperties: { type: "integer", minimum: 3 }, minProperties: 4 },
  "a map by pattern": {
    type: "object",
    patternProperties: { "^x-[a-z]{3}$": { type: "number" } },
    additionalProperties: false,
    minProperties: 2,
  },
  "few properties": {
    type: "object",
    properties: { a: {}, b: {}, c: {} },
    required: ["c"],
    maxProperties: 2,
  },
  "constrained names": { type: "object", propertyNames: { pattern: "^[A-Z]{2}$" }, minProperties: 2 },
  "bounds on strings": { type: "string", minLength: 30, maxLength: 31 },
  "a short string": { type: "string", maxLength: 3 },
  "no string": { type: "string", maxLength: 0 },
  "a range of integers": { type: "integer", minimum: -5, exclusiveMaximum: -2 },
  multiples: { type: "integer", multipleOf: 7, minimum: 15, maximum: 22 },
  "multiples of a fraction": { type: "number", multipleOf: 0.25, minimum: 0.1, maximum: 0.6 },
  "an integer that is a multiple of a fraction": { type: "integer", multipleOf: 1.5, minimum: 1 },
  "a narrow range of numbers": { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 0.001 },
  "only an upper bound": { type: "number", maximum: -1000 },
  "bounds on arrays": { type: "array", items: { type: "integer" }, minItems: 4, maxItems: 4 },
  "an empty array": { type: "array", items: { type: "integer" }, maxItems: 0 },
  "unique items": { type: "array", items: { enum: [1, 2, 3] }, uniqueItems: true, minItems: 3 },
  "a tuple": {
    type: "array",
    prefixItems: [{ type: "string" }, { type: "integer" }],
    items: false,
    minItems: 2,
  },
  contains: { type: "array", items: { type: "integer" }, contains: { const: 42 } },
  "a choice": {
    anyOf: [{ type: "string" }, { type: "object", properties: { n: { type: "number" } }, required: ["n"] }],
  },
  "a tagged choice": {
    type: "object",
    properties: { id: { type: "string", format: "uuid" } },
    required: ["id", "kind"],
    oneOf: [
      { properties: { kind: { const: "a" }, x: { type: "integer" } }, required: ["x"] },
      { properties: { kind: { const: "b" }, y: { type: "boolean" } }, required: ["y"] },
    ],
  },
  "all of": {
    allOf: [
      { type: "object", properties: { a: { type: "integer", minimum: 5 } }, required: ["a"] },
      { properties: { a: { maximum: 6 }, b: { type: "string" } }, required: ["b"] },
    ],
  },
  // As text: an object literal with `then` would be taken for a promise.
  "a condition": JSON.parse(`{
    "type": "object",
    "properties": { "country": { "enum": ["ch", "us"] } },
    "required": ["country"],
    "if": { "properties": { "country": { "const": "us" } } },
    "then": { "properties": { "zip": { "type": "string", "pattern": "^[0-9]{5}$" } }, "required": ["zip"] }
  }`),
  "a reference": {
    $defs: {
      point: {
        type: "object",
        properties: { x: { type: "number" }, y: { type: "number" } },
        required: ["x", "y"],
      },
    },
    type: "array",
    items: { $ref: "#/$defs/point" },
    minItems: 2,
  },
  "a reference with escapes": { $ref: "#/$defs/a~1b%20c", $defs: { "a/b c": { type: "integer" } } },
  "a tree": {
    $ref: "#/$defs/node",
    $defs: {
      node: {
        type: "object",
        properties: {
          value: { type: "integer" },
          left: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
          children: { type: "array", items: { $ref: "#/$defs/node" } },
        },
        required: ["value", "left", "children"],
        additionalProperties: false,
      },
    },
  },
  "a wide tree": {
    type: "object",
    properties: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`branch${i}`, { $ref: "#" }])),
  },
  "a property with an awkward name": {
    type: "object",
    properties: JSON.parse('{"__proto__":{"type":"integer"}}'),
    required: ["__proto__"],
  },
  "a list that refers to the root": { type: "object", properties: { next: { $ref: "#" } } },
  "implied types": { properties: { list: { minItems: 1 }, size: { minimum: 4 }, map: { required: ["k"] } } },
  "what pydantic writes": {
    $defs: { Level: { enum: ["low", "high"], title: "Level", type: "string" } },
    properties: {
      level: { $ref: "#/$defs/Level", default: "low" },
      note: { anyOf: [{ type: "string", maxLength: 8 }, { type: "null" }], default: null },
      tags: { items: { type: "string" }, type: "array", uniqueItems: true },
    },
    required: ["level"],
    title: "Ticket",
    type: "object",
  },
  ...named("format", (format) => ({ type: "string", format }), [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uuid",
    "regex",
    "json-pointer",
    "byte",
  ]),
  ...named("pattern", (pattern) => ({ type: "string", pattern }), [
    "^[A-Z]{3}-\\d{4}$",
    "^(foo|ba[rz])+$",
    "^\\+?[1-9]\\d{1,14}$",
    "^#(?:[0-9a-fA-F]{3}){1,2}$",
    "^[^\\s@]+@[^\\s@]+\\.[a-z]{2,}$",
    "^\\S+$",
    "[.]json$",
    "^\\u0041-\\x42$",
    "^[a-z0-9_.-]{2,5}?$",
    "^$",
    "a.c",
  ]),
  "a pattern of given length": { type: "string", pattern: "^[a-z]+$", minLength: 12, maxLength: 14 },
};

function named(kind: string, schema: (value: string) => object, values: string[]): Record<string, object> {
  return Object.fromEntries(values.map((value) => [`${kind} ${value}`, schema(value)]));
}

const ajv = new Ajv2020({ strict: false });
// Its types are those of a CommonJS module, where the function is the whole module.
(formats as unknown as { default: (validator: Ajv2020) => void }).default(ajv);

describe("an instance is valid by its schema", () => {
  test.each(Object.entries(schemas))("%s", (_name, schema) => {
    const validate = ajv.compile(schema);
    for (let seed = 0; seed < 40; seed++) {
      const value = createInstance(schema, seed);
      expect(validate(value), JSON.stringify({ value, errors: validate.errors })).toBe(true);
    }
  });
});

test("the same seed gives the same instance, another seed another one", () => {
  const schema = { type: "object", properties: { name: { type: "string" }, size: { type: "integer" } } };
  expect(createInstance(schema, 7)).toEqual(createInstance(schema, 7));
  expect(createInstance(schema, 7)).not.toEqual(createInstance(schema, 8));
});

test("a list of schemas under items, as before draft 2020, is a tuple", () => {
  const schema = { type: "array", items: [{ const: 1 }, { const: 2 }], additionalItems: false };
  expect(createInstance(schema, 1)).toEqual([1, 2]);
});

test.each([
  ["an unknown type", { type: "text" }],
  ["an empty enum", { enum: [] }],
  ["a reference to nothing", { $ref: "#/$defs/missing" }],
  ["a reference to elsewhere", { $ref: "https://example.com/schema.json" }],
  ["a reference to itself", { $ref: "#" }],
  [
    "a property that requires its own kind",
    { type: "object", properties: { self: { $ref: "#" } }, required: ["self"] },
  ],
  ["an absurd number of items", { type: "array", items: {}, minItems: 1e9 }],
  ["an absurd string", { type: "string", minLength: 1e9 }],
  ["an absurd pattern", { type: "string", pattern: "(a{9999}){9999}" }],
  ["an empty range", { type: "integer", minimum: 3, maximum: 2 }],
])("%s is refused", (_name, schema) => {
  expect(() => createInstance(schema, 1)).toThrow(UnusableSchemaError);
});
