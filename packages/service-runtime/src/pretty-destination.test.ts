import { expect, test } from "vitest";
import { formatPrettyLine } from "./pretty-destination.ts";

const entry = { time: "2026-01-02T03:04:05.000Z", level: "warn", service: "api", msg: "slow" };

test("a line holds time, level, service, message and fields", () => {
  const line = formatPrettyLine(JSON.stringify({ ...entry, waited_ms: 12, code: "late" }));
  expect(line).toMatch(/^\d\d:\d\d:\d\d {2}warn {3}api {2}slow {2}waited_ms=12 {2}code=late$/);
});

test("an error is shown with its stack", () => {
  const err = { type: "Error", message: "broken", stack: "Error: broken\n    at f (x.ts:1:1)" };
  expect(formatPrettyLine(JSON.stringify({ ...entry, err }))).toMatch(
    /slow {2}Error: broken\n {8}at f \(x\.ts:1:1\)$/,
  );
});

test("what a caller sent can neither colour the terminal nor forge a line", () => {
  const line = formatPrettyLine(
    JSON.stringify({ ...entry, name: "\u001b[31mred\n03:04:05  info  api  forged" }),
  );
  expect(line).not.toContain("\u001b");
  expect(line).toContain("\n    03:04:05  info  api  forged");
});

test("what is not a log line passes unchanged", () => {
  expect(formatPrettyLine("plain\n")).toBe("plain");
});
