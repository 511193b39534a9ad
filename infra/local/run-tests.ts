import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runStage } from "./run-stage.ts";
import { failedFiles, summarizeTests, type TestReport, type TestSummary } from "./test-report.ts";

/** With more than these, it is not chance. */
const filesAgainMax = 5;

/**
 * Runs vitest, and the files that failed once more, alone. Many tests kill processes and wait for what the others do
 * about it; on a busy machine one of hundreds can come too late. What passes alone is named as flaky, never hidden.
 *
 * @param args for vitest, of the first run
 * @throws {Error} when vitest broke off before it had a report
 */
export async function runTests(args: readonly string[], env: NodeJS.ProcessEnv): Promise<TestSummary> {
  const folder = await mkdtemp(join(tmpdir(), "forebay-tests-"));
  try {
    const first = await run(args, join(folder, "first.json"), env);
    const failed = failedFiles(first);
    if (failed.length === 0 || failed.length > filesAgainMax) return summarizeTests(first, undefined);
    console.log(`\nOnce more, alone: ${failed.join(", ")}`);
    const second = await run([...failed, "--maxWorkers=1"], join(folder, "second.json"), env);
    return summarizeTests(first, second);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(args: readonly string[], file: string, env: NodeJS.ProcessEnv): Promise<TestReport> {
  const reporters = ["--reporter=default", "--reporter=./infra/local/report-tests.ts"];
  await runStage("vitest", ["run", ...reporters, ...args], { ...env, FOREBAY_TEST_REPORT: file });
  return JSON.parse(await readFile(file, "utf8"));
}
