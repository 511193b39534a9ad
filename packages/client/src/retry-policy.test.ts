import { expect, test } from "vitest";
import { ConnectionError, ForebayError } from "./errors.ts";
import { isPassing, parseRetryAfter, retryDelayMs } from "./retry-policy.ts";

const refused = (status: number, retryAfterS?: number) =>
  new ForebayError("no", { status, code: "any", retryAfterS });

test.each<[string, unknown, boolean]>([
  ["a server out of reach", new ConnectionError("away"), true],
  ["a server that is full", refused(503, 12), true],
  ["a limit", refused(429, 60), true],
  ["a proxy without its server", refused(502), true],
  ["a server that wants to be left alone for long", refused(503, 61), false],
  ["a wrong body", refused(422), false],
  ["a wrong key", refused(401), false],
  ["a lost log", refused(410), false],
  ["an error of somebody else", new TypeError("x is not a function"), false],
])("%s: worth another try is %s", (_, error, expected) => {
  expect(isPassing(error)).toBe(expected);
});

test.each<[number, number | undefined, number, number]>([
  [1, undefined, 0, 375],
  [1, undefined, 1, 625],
  [3, undefined, 0.5, 2_000],
  [100, undefined, 0.5, 30_000],
  [1, 7, 0.5, 7_000],
  [7, 1, 0.5, 30_000],
])(
  "failure %d, Retry-After %s → waits %d of the spread → %d ms",
  (failures, retryAfterS, random, expected) => {
    expect(retryDelayMs({ failures, baseMs: 500, retryAfterS }, random)).toBe(expected);
  },
);

const now = Date.parse("2026-01-02T03:04:05Z");
test.each<[string | null, number | undefined]>([
  ["0", 0],
  [" 17 ", 17],
  ["Fri, 02 Jan 2026 03:04:35 GMT", 30],
  ["Fri, 02 Jan 2026 03:00:00 GMT", 0],
  ["soon", undefined],
  ["", undefined],
  [null, undefined],
])("Retry-After %j is %s s", (header, expected) => {
  expect(parseRetryAfter(header, now)).toBe(expected);
});
