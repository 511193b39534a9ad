import { writeFile } from "node:fs/promises";
import { relative } from "node:path";
import type { TestModule, Vitest } from "vitest/node";
import type { TestReport } from "./test-report.ts";

type ThrownError = { readonly message: string; readonly VITEST_TEST_PATH?: string };

/** A reporter of vitest that writes what went wrong, wherever it did, to the file named in FOREBAY_TEST_REPORT. */
export default class ReportTests {
  #root = "";

  onInit({ config }: Vitest): void {
    this.#root = config.root;
  }

  async onTestRunEnd(modules: readonly TestModule[], strayErrors: readonly ThrownError[]): Promise<void> {
    const report: TestReport = {
      files: modules.map(describeModule),
      strayErrors: strayErrors.map(({ message, VITEST_TEST_PATH: path }) => ({
        file: path === undefined ? undefined : relative(this.#root, path),
        message,
      })),
    };
    await writeFile(process.env.FOREBAY_TEST_REPORT ?? "", JSON.stringify(report));
  }
}

function describeModule(module: TestModule): TestReport["files"][number] {
  const suites = [...module.children.allSuites()];
  const errors = [module, ...suites].flatMap((suite) => suite.errors());
  return {
    file: module.relativeModuleId,
    passed: module.ok(),
    message: errors[0]?.message,
    tests: [...module.children.allTests()].map((test) => ({
      name: test.fullName,
      state: test.result().state,
    })),
  };
}
