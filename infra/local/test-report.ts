import { relative } from "node:path";

/** What vitest's JSON reporter says of a run, as far as it is used. */
export type TestReport = {
  readonly testResults: readonly {
    /** Path of the test file. */ readonly name: string;
    readonly status: string;
    /** Why the file as a whole could not run. */ readonly message?: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
};

type TestFailure = { readonly file: string; readonly test: string };

export type TestSummary = {
  readonly passed: number;
  readonly failed: number;
  /** What failed in the second run too, or had none. */ readonly failures: readonly TestFailure[];
  /** What failed beside the other files and passed alone. */ readonly flaky: readonly TestFailure[];
};

/** Files with a failure; one that could not be loaded is among them. */
export const failedFiles = ({ testResults }: TestReport): string[] =>
  testResults.filter(({ status }) => status === "failed").map(({ name }) => name);

/**
 * What is to be said of a run of all files, and of a second one of those that failed.
 *
 * @param root of the repository: files are named from there
 */
export function summarizeTests(first: TestReport, second: TestReport | undefined, root: string): TestSummary {
  const again = new Map(second?.testResults.map((file) => [file.name, file]));
  const results = first.testResults.map((file) => again.get(file.name) ?? file);
  const count = (status: string) =>
    results.reduce(
      (sum, file) => sum + file.assertionResults.filter((test) => test.status === status).length,
      0,
    );
  const failures = failuresOf({ testResults: results }, root);
  const failedAgain = new Set(failures.map(keyOf));
  const flaky = failuresOf(first, root).filter((failure) => !failedAgain.has(keyOf(failure)));
  const unloaded = results.filter(cannotRun).length;
  return { passed: count("passed"), failed: count("failed") + unloaded, failures, flaky };
}

function failuresOf({ testResults }: TestReport, root: string): TestFailure[] {
  return testResults.flatMap((result) => {
    const file = relative(root, result.name);
    if (cannotRun(result)) return [{ file, test: firstLine(result.message) }];
    return result.assertionResults
      .filter(({ status }) => status === "failed")
      .map(({ fullName }) => ({ file, test: fullName }));
  });
}

/** A file that failed without a failed test: it could not be loaded, or a hook of it failed. */
const cannotRun = ({ status, assertionResults }: TestReport["testResults"][number]): boolean =>
  status === "failed" && assertionResults.every((test) => test.status !== "failed");

const firstLine = (text: string | undefined): string => text?.split("\n")[0]?.trim() || "could not run";
const keyOf = ({ file, test }: TestFailure): string => `${file}\0${test}`;
