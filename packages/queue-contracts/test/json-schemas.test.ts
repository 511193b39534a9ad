import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { createJsonSchemas } from "../publish/json-schemas.ts";
import { badPayloads, goodPayloads } from "./payload-cases.ts";

const schemas = createJsonSchemas();
const ajv = new Ajv2020({
  strict: true,
  allowUnionTypes: true,
  formats: { "date-time": true, base64: true },
});
for (const schema of schemas.values()) ajv.addSchema(schema);
const validates = (name: string, value: unknown): boolean =>
  ajv.validate(`urn:forebay:queue-contracts:v1:${name}`, value) as boolean;

test.each([...schemas])("%s compiles in strict mode and says what it is", (_, schema) => {
  expect(() => ajv.compile({ ...schema, $id: undefined })).not.toThrow();
  expect(schema).toMatchObject({
    $id: expect.any(String),
    title: expect.any(String),
    description: expect.any(String),
  });
});

describe("the payload's JSON Schema, for producers in other languages", () => {
  test.each(goodPayloads)("accepts %s", (_, payload) => {
    expect(validates("inference-job", JSON.parse(JSON.stringify(payload)))).toBe(true);
  });

  test.each(badPayloads.filter(([, , , byZodOnly]) => !byZodOnly))("refuses %s", (_, payload) => {
    expect(validates("inference-job", payload)).toBe(false);
  });
});

test("readers' schemas let fields pass that a later version adds", () => {
  expect(validates("failure", { code: "cancelled", message: "", since: "0.2" })).toBe(true);
  expect(validates("failure", { code: "no_such_code", message: "" })).toBe(false);
  expect(validates("start-record", { at: "2026-01-01T00:00:00.000Z", worker: "w", since: "0.2" })).toBe(true);
});

test("what has a default need not be written", () => {
  expect(validates("delivery-policy", {})).toBe(true);
});
