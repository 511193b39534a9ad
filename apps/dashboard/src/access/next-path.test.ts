import { expect, it } from "vitest";
import { nextPath } from "./next-path.ts";

it.each([
  ["/dashboard/queue/a%7Bb%7D?status=failed", "/dashboard/queue/a%7Bb%7D?status=failed"],
  ["/dashboard/", "/dashboard/"],
  [undefined, "/dashboard/"],
  ["", "/dashboard/"],
  ["/dashboardx/", "/dashboard/"],
  ["/dashboard/../jobs", "/dashboard/"],
  ["/jobs", "/dashboard/"],
  ["//evil.example/dashboard/", "/dashboard/"],
  ["https://evil.example/dashboard/", "/dashboard/"],
  ["javascript:alert(1)", "/dashboard/"],
])("%j leads to %s", (asked, expected) => {
  expect(nextPath(asked, "/dashboard")).toBe(expected);
});

it.each(["//evil.example", "/\\evil.example", "/\t/evil.example", "\\\\evil.example", "http://evil.example"])(
  "at the root, %j leads to the start page",
  (asked) => {
    expect(nextPath(asked, "")).toBe("/");
  },
);
