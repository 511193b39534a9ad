import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runStage } from "./run-stage.ts";
import { failedFiles, summarizeTests, type TestReport, type TestSummary } from "./test-report.ts";

/**
 * Runs vitest, and the files that failed once more, alone. Many tests kill processes and wait for what the others do
 * about it; on a busy machine one of hundreds can come too late. What passes alone is named as flaky, never hidden.
 *
 * @param args for vitest, of the first run
 */
export async function runTests(args: readonly string[], env: NodeJS.ProcessEnv): Promise<TestSummary> {
  const folder = await mkdtemp(join(tmpdir(), "forebay-tests-"));
  try {
    const first = await run(args, join(folder, "first.json"), env);
    const failed = failedFiles(first.report);
    if (failed.length === 0 || failed.length > filesAgainMax) return judged(first);
    console.log(`\nOnce more, alone: ${failed.join(", ")}`);
    const second = await run([...failed, "--maxWorkers=1"], join(folder, "second.json"), env);
    return judged(first, second);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** With more than these, it is not chance. */
const filesAgainMax = 5;

type Run = { readonly passed: boolean; readonly report: TestReport };

async function run(args: readonly string[], file: string, env: NodeJS.ProcessEnv): Promise<Run> {
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const passed = await runStage("vitest", ["run", ...reporters, ...args], env);
  return { passed, report: JSON.parse(await readFile(file, "utf8")) };
}

/** A run can fail with no test to blame: an error that nobody caught. */
function judged(first: Run, second?: Run): TestSummary {
  const summary = summarizeTests(first.report, second?.report, process.cwd());
  if ((second ?? first).passed || summary.failed > 0) return summary;
  return { ...summary, failed: 1, failures: [{ file: "vitest", test: "an error outside of all tests" }] };
}
