// `npm test`: every check there is, in the order of how quickly it answers. Arguments go to vitest.
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { findChromium } from "./find-chromium.ts";

interface Stage {
  name: string;
  command: string;
  args: readonly string[];
}

// Where continuous integration wants the results for counting.
const reports = process.env.FOREBAY_TEST_REPORTS;
const reporters = reports
  ? ["--reporter=default", "--reporter=json", `--outputFile.json=${reports}/vitest.json`]
  : [];

const stages: readonly Stage[] = [
  { name: "lint", command: "oxlint", args: ["--type-aware", "--deny-warnings"] },
  { name: "format", command: "biome", args: ["format", "."] },
  { name: "types", command: "turbo", args: ["run", "typecheck", "--output-logs=errors-only"] },
  { name: "unused", command: "knip", args: [] },
  { name: "tests", command: "vitest", args: ["run", ...reporters, ...process.argv.slice(2)] },
];

const chromium = await findChromium((line) => console.log(line));
// A test run talks to nobody outside: turbo reports home unless told not to.
const env = {
  ...process.env,
  TURBO_TELEMETRY_DISABLED: "1",
  ...(chromium !== undefined && { FOREBAY_CHROMIUM: chromium }),
};
const failed: string[] = [];
for (const stage of stages) {
  console.log(`\n── ${stage.name} ${"─".repeat(70 - stage.name.length)}`);
  const passed = await passes(stage);
  if (!passed) failed.push(stage.name);
  if (reports) appendFileSync(`${reports}/stages`, `${passed ? "ok" : "not ok"} ${stage.name}\n`);
}
const passed = stages.map(({ name }) => name).filter((name) => !failed.includes(name));
console.log(`\nPassed: ${passed.join(", ") || "nothing"}.`);
if (failed.length > 0) console.error(`Failed: ${failed.join(", ")}.`);
process.exit(failed.length > 0 ? 1 : 0);

/** Runs one stage in this terminal; one that is ended by a signal ends the whole run. */
function passes({ command, args }: Stage): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: "inherit" });
    const passOn = (signal: NodeJS.Signals) => child.kill(signal);
    process.on("SIGTERM", passOn);
    process.on("SIGINT", passOn);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      process.off("SIGTERM", passOn);
      process.off("SIGINT", passOn);
      if (signal !== null || code === 130) process.exit(130);
      resolve(code === 0);
    });
  });
}
