/** What is kept of a run of vitest: written by report-tests.ts, read by run-tests.ts. */
export type TestReport = {
  readonly files: readonly TestFile[];
  /** Errors that nobody caught, outside of every test. */
  readonly strayErrors: readonly { readonly file: string | undefined; readonly message: string }[];
};

type TestFile = {
  /** Path from the root of the repository. */ readonly file: string;
  /** False with every test passed: it could not be loaded, or something around its tests failed. */
  readonly passed: boolean;
  /** Why it failed where no test did. */ readonly message: string | undefined;
  readonly tests: readonly { readonly name: string; readonly state: string }[];
};

type TestFailure = { readonly file: string; readonly test: string };

export type TestSummary = {
  readonly passed: number;
  readonly failed: number;
  /** What failed in the second run too, or had none. */ readonly failures: readonly TestFailure[];
  /** What failed beside the other files and passed alone. */ readonly flaky: readonly TestFailure[];
};

/** Files that something went wrong in. */
export const failedFiles = ({ files, strayErrors }: TestReport): string[] => [
  ...new Set([
    ...files.filter(({ passed }) => !passed).map(({ file }) => file),
    ...strayErrors.map(({ file }) => file).filter((file) => file !== undefined),
  ]),
];

/** What is to be said of a run of all files, and of a second one of those that failed. */
export function summarizeTests(first: TestReport, second: TestReport | undefined): TestSummary {
  const again = new Map(second?.files.map((file) => [file.file, file]));
  const latest: TestReport = {
    files: first.files.map((file) => again.get(file.file) ?? file),
    strayErrors: [
      ...first.strayErrors.filter(({ file }) => file === undefined || !again.has(file)),
      ...(second?.strayErrors ?? []),
    ],
  };
  const failures = failuresOf(latest);
  const failedAgain = new Set(failures.map(keyOf));
  return {
    passed: latest.files.flatMap(({ tests }) => tests).filter(({ state }) => state === "passed").length,
    failed: failures.length,
    failures,
    flaky: failuresOf(first).filter((failure) => !failedAgain.has(keyOf(failure))),
  };
}

const failuresOf = ({ files, strayErrors }: TestReport): TestFailure[] => [
  ...files.flatMap(failuresIn),
  ...strayErrors.map(({ file, message }) => ({
    file: file ?? "vitest",
    test: `not caught: ${firstLine(message)}`,
  })),
];

function failuresIn({ file, passed, message, tests }: TestFile): TestFailure[] {
  const failed = tests.filter(({ state }) => state === "failed").map(({ name }) => ({ file, test: name }));
  return failed.length > 0 || passed ? failed : [{ file, test: `around its tests: ${firstLine(message)}` }];
}

const firstLine = (text: string | undefined): string => text?.split("\n")[0]?.trim() || "no message";
const keyOf = ({ file, test }: TestFailure): string => `${file}\0${test}`;
