import { createJobId } from "@forebay/queue-contracts";
import { expect, test } from "vitest";
import { formatCursor, parseCursor } from "./list-cursor.ts";

const id = createJobId("abcdefgh");

test("a cursor leads back to its place in its list", () => {
  expect(parseCursor(formatCursor(id, "list"), "list")).toBe(id);
});

test("in another list it is refused", () => {
  expect(() => parseCursor(formatCursor(id, "list"), "other")).toThrow(/next_cursor/);
});

test("with any one character changed it is refused", () => {
  const cursor = formatCursor(id, "list");
  for (let at = 0; at < cursor.length; at++) {
    const changed = cursor.slice(0, at) + (cursor[at] === "A" ? "B" : "A") + cursor.slice(at + 1);
    expect(() => parseCursor(changed, "list"), changed).toThrow(/next_cursor/);
  }
});
