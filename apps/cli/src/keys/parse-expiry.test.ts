import { expect, it } from "vitest";
import { parseExpiry } from "./parse-expiry.ts";

const now = Date.parse("2026-11-21T12:00:00Z");

it.each([
  ["90m", "2026-11-21T13:30:00.000Z"],
  ["12h", "2026-11-22T00:00:00.000Z"],
  ["30d", "2026-12-21T12:00:00.000Z"],
  ["8w", "2027-01-16T12:00:00.000Z"],
  ["2027-01-31T00:00:00Z", "2027-01-31T00:00:00.000Z"],
  ["2027-01-31T00:00:00.5+02:00", "2027-01-30T22:00:00.500Z"],
])("an expiry of %s is %s", (text, expected) => {
  expect(parseExpiry(text, now)).toBe(expected);
});

it.each([
  "",
  "0d",
  "30",
  "1y",
  "-1d",
  "1.5h",
  "tomorrow",
  "2026-11-21T11:59:59Z",
  "2027-02-31T25:00:00Z",
  "2027-01-31",
])("an expiry of %j is refused", (text) => {
  expect(parseExpiry(text, now)).toBeUndefined();
});
