import { expect, test } from "vitest";
import { parseOptions } from "./parse-options.ts";

test.each([
  [{ num_ctx: "4096" }, 'option "num_ctx" must be of type integer'],
  [{ temperature: "hot" }, 'option "temperature" must be of type float32'],
  [{ use_mmap: 1 }, 'option "use_mmap" must be of type boolean'],
  [{ stop: "###" }, 'option "stop" must be of type array'],
  [{ stop: ["###", 1] }, 'option "stop" must be of an array of strings'],
])("%j is a 500, as in Ollama", (options, message) => {
  expect(() => parseOptions(options, undefined)).toThrow(expect.objectContaining({ status: 500, message }));
});

test("unknown options and null are ignored, fractions of integers cut off", () => {
  const options = parseOptions({ mystery: "x", num_ctx: null, num_predict: 7.9, seed: 3 }, undefined);
  expect(options).toMatchObject({ numPredict: 7, seed: 3, runner: { numCtx: undefined, shift: true } });
});

test("a seed of -1 is none, a context below four is four", () => {
  const options = parseOptions({ seed: -1, num_ctx: 1 }, false);
  expect(options).toMatchObject({ seed: undefined, runner: { numCtx: 4, shift: false } });
});
