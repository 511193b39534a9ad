import { expect, test } from "vitest";
import { failedFiles, summarizeTests, type TestReport } from "./test-report.ts";

type File = TestReport["files"][number];

const file = (name: string, tests: Record<string, "passed" | "failed" | "skipped">): File => ({
  file: name,
  passed: !Object.values(tests).includes("failed"),
  message: undefined,
  tests: Object.entries(tests).map(([test, state]) => ({ name: test, state })),
});
const report = (...files: File[]): TestReport => ({ files, strayErrors: [] });

test("a run without failures is counted as it is", () => {
  const first = report(file("a.test.ts", { one: "passed", two: "skipped" }));
  expect(failedFiles(first)).toEqual([]);
  expect(summarizeTests(first, undefined)).toEqual({ passed: 1, failed: 0, failures: [], flaky: [] });
});

test("a failure is named by its file and counted when there was no second run", () => {
  const first = report(file("a.test.ts", { one: "passed", two: "failed" }));
  expect(failedFiles(first)).toEqual(["a.test.ts"]);
  expect(summarizeTests(first, undefined)).toEqual({
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
  expect(summarizeTests(first, second)).toEqual({
    passed: 2,
    failed: 1,
    failures: [{ file: "b.test.ts", test: "three" }],
    flaky: [{ file: "b.test.ts", test: "two" }],
  });
});

test("what only fails the second time has failed", () => {
  const first = report(file("b.test.ts", { two: "failed", three: "passed" }));
  const second = report(file("b.test.ts", { two: "passed", three: "failed" }));
  expect(summarizeTests(first, second)).toMatchObject({
    failed: 1,
    failures: [{ test: "three" }],
    flaky: [{ test: "two" }],
  });
});

test("a file that fails around its tests counts as one failure, its tests as they went", () => {
  const broken: File = {
    ...file("c.test.ts", { one: "passed" }),
    passed: false,
    message: "hook timed out\n at x",
  };
  expect(failedFiles(report(broken))).toEqual(["c.test.ts"]);
  expect(summarizeTests(report(broken), report(broken))).toEqual({
    passed: 1,
    failed: 1,
    failures: [{ file: "c.test.ts", test: "around its tests: hook timed out" }],
    flaky: [],
  });
});

test("an error that nobody caught is blamed on its file, and is flaky when it does not come back", () => {
  const files = [file("a.test.ts", { one: "passed" }), file("b.test.ts", { two: "passed" })];
  const first: TestReport = { files, strayErrors: [{ file: "b.test.ts", message: "ECONNRESET" }] };
  expect(failedFiles(first)).toEqual(["b.test.ts"]);
  expect(summarizeTests(first, undefined)).toMatchObject({ passed: 2, failed: 1 });
  const second = report(file("b.test.ts", { two: "passed" }));
  expect(summarizeTests(first, second)).toEqual({
    passed: 2,
    failed: 0,
    failures: [],
    flaky: [{ file: "b.test.ts", test: "not caught: ECONNRESET" }],
  });
});

test("an error of no file stays a failure", () => {
  const first: TestReport = { files: [], strayErrors: [{ file: undefined, message: "out of memory" }] };
  expect(failedFiles(first)).toEqual([]);
  expect(summarizeTests(first, undefined).failures).toEqual([
    { file: "vitest", test: "not caught: out of memory" },
  ]);
});
