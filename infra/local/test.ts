// `npm test`: every check there is, in the order of how quickly it answers. Arguments go to vitest.
import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findChromium } from "./find-chromium.ts";
import { runStage } from "./run-stage.ts";
import { runTests } from "./run-tests.ts";

interface Check {
  name: string;
  command: string;
  args: readonly string[];
}

const checks: readonly Check[] = [
  { name: "lint", command: "oxlint", args: ["--type-aware", "--deny-warnings"] },
  { name: "format", command: "biome", args: ["format", "."] },
  { name: "types", command: "turbo", args: ["run", "typecheck", "--output-logs=errors-only"] },
  { name: "unused", command: "knip", args: [] },
];

// Where continuous integration wants the results for counting: a line for each.
const results = process.env.FOREBAY_TEST_RESULTS;
const chromium = await findChromium((line) => console.log(line));
// A test run talks to nobody outside: turbo reports home unless told not to. It starts hundreds of processes, which
// read the same hundreds of modules: from the second one on they are compiled already.
const env = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL("../../node_modules/.cache/compiled", import.meta.url)),
  ...process.env,
  TURBO_TELEMETRY_DISABLED: "1",
  ...(chromium !== undefined && { FOREBAY_CHROMIUM: chromium }),
};
const passed: string[] = [];
const failed: string[] = [];
for (const { name, command, args } of checks) {
  headline(name);
  const holds = await runStage(command, args, env);
  (holds ? passed : failed).push(name);
  record(`${holds ? "ok" : "not ok"} ${name}`);
}
headline("tests");
const tests = await runTests(process.argv.slice(2), env);
(tests.failed === 0 ? passed : failed).push("tests");
record(`tests ${tests.passed} ${tests.failed}`);
for (const { file, test } of tests.flaky) report(`flaky ${file}: ${test}`);
for (const { file, test } of tests.failures) report(`failed ${file}: ${test}`);
console.log(`\nPassed: ${passed.join(", ") || "nothing"}.`);
if (failed.length > 0) console.error(`Failed: ${failed.join(", ")}.`);
process.exit(failed.length > 0 ? 1 : 0);

function headline(name: string): void {
  console.log(`\n── ${name} ${"─".repeat(70 - name.length)}`);
}

function report(line: string): void {
  console.log(line);
  record(line);
}

function record(line: string): void {
  if (results) appendFileSync(results, `${line}\n`);
}
