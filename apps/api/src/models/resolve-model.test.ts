import { expect, test } from "vitest";
import { parseModelNames } from "./parse-model-names.ts";
import { resolveModel } from "./resolve-model.ts";

const names = parseModelNames("mini=qwen3:8b", "qwen3:8b=llama3.2:3b|phi4");
const chain = ["llama3.2:3b", "phi4"];

test.each<[string, string[] | undefined, string, readonly string[]]>([
  ["any key, by the alias", undefined, "mini", chain],
  ["any key, by the model", undefined, "qwen3:8b", chain],
  ["a key for the alias: what it stands for, and its chain", ["mini"], "mini", chain],
  ["a key for the model, by the alias", ["qwen3:8b"], "mini", []],
  ["a key for the model: no fallback it may not use", ["qwen3:8b", "phi4:latest"], "qwen3:8b", ["phi4"]],
])("%s", (_, models, asked, fallbacks) => {
  expect(resolveModel(names, { models }, asked)).toEqual({ model: "qwen3:8b", fallbacks });
});

test.each([
  ["the alias", ["phi4"], "mini"],
  ["the model itself, of a key that has only the alias", ["mini"], "qwen3:8b"],
  ["a fallback by name, of a key that has the alias", ["mini"], "phi4"],
])("refused: %s", (_, models, asked) => {
  expect(() => resolveModel(names, { models }, asked)).toThrow(
    expect.objectContaining({ code: "forbidden" }),
  );
});
