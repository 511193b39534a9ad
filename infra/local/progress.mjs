import { spawn } from "node:child_process";

/** @param {string} line */
export function say(line) {
  // stderr, so that what a command itself prints on stdout can be piped.
  process.stderr.write(`${line}\n`);
}

/**
 * Runs a command that may take a while: one line when it starts, one every 10 s, one when it is done. Its own
 * output is shown only if it fails.
 *
 * @param {string} what
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function runShowingProgress(what, command, args, env = process.env) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  say(`• ${what} …`);
  const alive = setInterval(() => say(`  still at it (${seconds()} s)`), 10_000);
  const { status, output } = await run(command, args, env);
  clearInterval(alive);
  if (status !== 0) {
    throw new Error(
      `${output.trimEnd()}\n\n${what} failed: \`${[command, ...args].join(" ")}\` (${status}).`,
    );
  }
  say(`✓ ${what} (${seconds()} s)`);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ status: number | string, output: string }>}
 */
function run(command, args, env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
      });
    }
    child.once("error", (error) => resolve({ status: error.message, output }));
    child.once("close", (code, signal) => resolve({ status: code ?? signal ?? 1, output }));
  });
}
