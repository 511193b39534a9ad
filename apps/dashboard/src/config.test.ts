import { expect, it } from "vitest";
import { dashboardConfigSchema } from "./config.ts";

it.each([
  ["", ""],
  ["/", ""],
  ["/dashboard", "/dashboard"],
  ["/dashboard/", "/dashboard"],
  ["/a/b-c/d.e", "/a/b-c/d.e"],
])("the base path %j means %j", (given, expected) => {
  expect(dashboardConfigSchema.parse({ DASHBOARD_BASE_PATH: given }).basePath).toBe(expected);
});

it.each(["dashboard", "/..", "/a/../b", "//evil.example", "/a b", "/a?b", "/a\nb", "/<script>"])(
  "%j is no base path",
  (given) => {
    expect(dashboardConfigSchema.safeParse({ DASHBOARD_BASE_PATH: given }).success).toBe(false);
  },
);

it("a board is read-only and on this machine only, unless told otherwise", () => {
  expect(dashboardConfigSchema.parse({})).toMatchObject({ readOnly: true, host: "127.0.0.1", port: 8081 });
});
