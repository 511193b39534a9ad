import { expect, test } from "vitest";
import { neededLua } from "./needed-lua.ts";

const library = `
local base = 2
-- Twice as much.
local function twice(number) return base * number end
local function four_times(number)
  if number then
    return twice(twice(number))
  end
end
local function say(word)
  return word
end
local last = 1
`;

test("a script is given the functions it calls, those they call, and whatever is not a function", () => {
  expect(neededLua(library, "return four_times(1)")).toBe(
    library.replace(/local function say[^]*?end\n/, ""),
  );
  expect(neededLua(library, "return twice(1)")).not.toContain("four_times");
  expect(neededLua(library, "return 1")).toBe("\nlocal base = 2\n-- Twice as much.\nlocal last = 1\n");
  expect(neededLua(library, "return say(four_times(1))")).toBe(library);
});

test("a name within another one is not a call", () => {
  expect(neededLua(library, "return twice_daily, essay, four_times_more")).not.toContain("function");
});
