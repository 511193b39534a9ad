import { expect, test } from "vitest";
import { parseModelNames } from "./parse-model-names.ts";

const parse = (aliases: string, fallbacks = "") => {
  const { problems, ...names } = parseModelNames(aliases, fallbacks);
  return {
    problems,
    aliases: Object.fromEntries(names.aliases),
    fallbacks: Object.fromEntries(names.fallbacks),
  };
};

test("aliases and chains, with commas or on lines of their own, aliases within both", () => {
  const aliases = "gpt-4o-mini=qwen3:8b, small = gpt-4o-mini\n# remark = none\n\nbig=llama3.3";
  expect(parse(aliases, "big=small|phi4,qwen3:8b=llama3.3")).toEqual({
    problems: [],
    aliases: { "gpt-4o-mini:latest": "qwen3:8b", "small:latest": "qwen3:8b", "big:latest": "llama3.3" },
    // Two models may stand in for each other: a chain is not followed on.
    fallbacks: { "llama3.3:latest": ["qwen3:8b", "phi4"], "qwen3:8b": ["llama3.3"] },
  });
});

test("nothing is nothing", () => {
  expect(parse("", "\n ,")).toEqual({ problems: [], aliases: {}, fallbacks: {} });
});

test.each([
  ["a=b,b=a", "", /alias a:latest leads back to itself/],
  ["a=a", "", /leads back to itself/],
  ["a=b,a=c", "", /given twice/],
  ["a", "", /"a" is not alias=model/],
  ["a=", "", /"a=" is not alias=model/],
  ["a=two words", "", /"two words" is not a model name/],
  ["", "a=", /is not model=fallback/],
  ["", "a=b||c", /"" is not a model name/],
  ["", "a=a", /a:latest itself/],
  ["b=a", "a=b", /a:latest itself/],
  ["", "a=b|b:latest", /twice/],
  ["", "a=b,a:latest=c", /given twice/],
  ["", `a=${Array.from({ length: 9 }, (_, i) => `m${i}`).join("|")}`, /more than 8/],
])("%j and %j are refused: %s", (aliases, fallbacks, problem) => {
  expect(parse(aliases, fallbacks).problems.join("\n")).toMatch(problem);
});

test("every problem is told at once", () => {
  expect(parse("a=a,b", "c=c").problems).toHaveLength(3);
});
