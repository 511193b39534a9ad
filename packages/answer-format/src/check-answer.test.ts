import { expect, test } from "vitest";
import { checkAnswer } from "./check-answer.ts";

const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 } },
  required: ["name", "age"],
  additionalProperties: false,
};

test.each([
  ["json", "[1]"],
  ["json", ' {"a": null}\n'],
  [person, '{"name":"Ada","age":36}'],
  [{ $ref: "#/$defs/a", $defs: { a: { type: "string" } } }, '"a"'],
  [{ $schema: "http://json-schema.org/draft-07/schema#", items: [{ type: "string" }] }, '["a", 1]'],
])("%j is satisfied by %s", (format, text) => {
  expect(checkAnswer(format, text)).toEqual({ kind: "valid" });
});

test.each<[unknown, string, string[]]>([
  ["json", "", ["JSON"]],
  ["json", 'Here you are: {"a":1}', ["JSON"]],
  [person, '{"name":"Ada","age":', ["JSON"]],
  [person, '{"name":"Ada"}', ["required"]],
  [person, '{"name":7,"age":-1}', ["type", "minimum"]],
  [person, '{"name":"Ada","age":1,"pet":1}', ["false"]],
])("%j is not satisfied by %s: %j", (format, text, keywords) => {
  const verdict = checkAnswer(format, text);
  expect(verdict).toMatchObject({ kind: "mismatch" });
  expect(verdict.kind === "mismatch" && verdict.keywords).toEqual(expect.arrayContaining(keywords));
});

test("what is wrong is said to the model by its place, a few things at a time", () => {
  const verdict = checkAnswer(
    { items: { type: "string" } },
    JSON.stringify(Array.from({ length: 50 }, () => 1)),
  );
  const problems = verdict.kind === "mismatch" ? verdict.problems : [];
  expect(problems).toHaveLength(10);
  expect(problems[0]).toBe('At #/0: Instance type "number" is invalid. Expected "string".');
});

const doubling = Object.fromEntries(
  Array.from({ length: 60 }, (_, level) => {
    const next = { $ref: `#/$defs/${level + 1}` };
    return [level, { allOf: [next, next] }];
  }),
);
test.each<[string, object, string]>([
  ["a pattern that backtracks for years", { pattern: "^(a+)+$" }, `"${"a".repeat(60)}!"`],
  ["references that double at each step", { $ref: "#/$defs/0", $defs: { ...doubling, 60: {} } }, "1"],
  ["a reference to itself", { $ref: "#" }, "1"],
])("%s is given up", (_, schema, text) => {
  expect(checkAnswer(schema, text)).toEqual({ kind: "undecidable" });
  expect(checkAnswer(person, '{"name":"Ada","age":36}')).toEqual({ kind: "valid" });
});

test("the schema is left as it was", () => {
  const schema = { $ref: "#/$defs/a", $defs: { a: { type: "string" } } };
  const before = Reflect.ownKeys(schema);
  checkAnswer(schema, '"a"');
  expect(Reflect.ownKeys(schema)).toEqual(before);
});
