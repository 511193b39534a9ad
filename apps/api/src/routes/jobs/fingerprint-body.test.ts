import { expect, test } from "vitest";
import { fingerprintBody } from "./fingerprint-body.ts";

const of = (json: string): string => fingerprintBody(JSON.parse(json) as object);

test.each([
  ["the order of keys", '{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}'],
  ["white space", '{"a":[1,2]}', '{ "a" : [ 1, 2 ] }'],
  ["how a number is written", '{"a":100}', '{"a":1e2}'],
  ["how a character is written", '{"a":"é"}', '{"a":"\\u00e9"}'],
  ["the key itself", '{"a":1,"idempotency_key":"x"}', '{"a":1}'],
])("%s does not count", (_, one, other) => {
  expect(of(one)).toBe(of(other));
});

test.each([
  ["another value", '{"a":1}', '{"a":2}'],
  ["the order of a list", '{"a":[1,2]}', '{"a":[2,1]}'],
  ["a text that looks like a number", '{"a":1}', '{"a":"1"}'],
  ["null instead of nothing", '{"a":null}', "{}"],
  ["a value under another key", '{"a":1}', '{"b":1}'],
  ["nesting", '{"a":{"b":1}}', '{"a":"{\\"b\\":1}"}'],
])("%s counts", (_, one, other) => {
  expect(of(one)).not.toBe(of(other));
});
