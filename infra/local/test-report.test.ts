import { expect, test } from "vitest";
import { failedFiles, summarizeTests, type TestReport } from "./test-report.ts";

type File = TestReport["testResults"][number];

const file = (name: string, tests: Record<string, "passed" | "failed" | "skipped">): File => ({
  name: `/repo/${name}`,
  status: Object.values(tests).includes("failed") ? "failed" : "passed",
  assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status })),
});
const report = (...testResults: File[]): TestReport => ({ testResults });
const unloaded: File = {
  name: "/repo/c.test.ts",
  status: "failed",
  message: "Cannot find package\n at x",
  assertionResults: [],
};

test("a run without failures is counted as it is", () => {
  const summary = summarizeTests(
    report(file("a.test.ts", { one: "passed", two: "skipped" })),
    undefined,
    "/repo",
  );
  expect(summary).toEqual({ passed: 1, failed: 0, failures: [], flaky: [] });
});

test("a failure is named by its file and counted when there was no second run", () => {
  const first = report(file("a.test.ts", { one: "passed", two: "failed" }));
  expect(failedFiles(first)).toEqual(["/repo/a.test.ts"]);
  expect(summarizeTests(first, undefined, "/repo")).toEqual({
    passed: 1,
    failed: 1,
    failures: [{ file: "a.test.ts", test: "two" }],
    flaky: [],
  });
});

test("what passes alone is flaky, what fails again has failed", () => {
  const first = report(
    file("a.test.ts", { one: "passed" }),
    file("b.test.ts", { two: "failed", three: "failed" }),
  );
  const second = report(file("b.test.ts", { two: "passed", three: "failed" }));
  expect(summarizeTests(first, second, "/repo")).toEqual({
    passed: 2,
    failed: 1,
    failures: [{ file: "b.test.ts", test: "three" }],
    flaky: [{ file: "b.test.ts", test: "two" }],
  });
});

test("what only fails the second time has failed", () => {
  const first = report(file("b.test.ts", { two: "failed", three: "passed" }));
  const second = report(file("b.test.ts", { two: "passed", three: "failed" }));
  expect(summarizeTests(first, second, "/repo")).toMatchObject({
    failed: 1,
    failures: [{ test: "three" }],
    flaky: [{ test: "two" }],
  });
});

test("a file that cannot be loaded counts as one failure", () => {
  expect(failedFiles(report(unloaded))).toEqual(["/repo/c.test.ts"]);
  expect(summarizeTests(report(unloaded), report(unloaded), "/repo")).toEqual({
    passed: 0,
    failed: 1,
    failures: [{ file: "c.test.ts", test: "Cannot find package" }],
    flaky: [],
  });
});
