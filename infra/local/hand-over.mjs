import { spawn } from "node:child_process";
import { constants } from "node:os";
import path from "node:path";
import { root } from "./install-dependencies.mjs";
import { whenParentIsGone } from "./when-parent-is-gone.mjs";

/**
 * Runs a file as if it had been started in our place: same terminal, arguments, signals and exit code. Programs it
 * calls find the tools of node_modules, the pinned Node among them, first.
 *
 * @param {string} node
 * @param {string} file
 * @param {string[]} args
 * @returns {Promise<never>}
 */
export async function handOver(node, file, args) {
  const bin = path.join(root, "node_modules/.bin");
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ""}` };
  const child = spawn(node, [file, ...args], { cwd: root, env, stdio: "inherit" });
  let asked = false;
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      asked = true;
      child.kill(signal);
    });
  }
  // A second signal would not be asking any more.
  whenParentIsGone(() => asked || child.kill("SIGTERM"));
  const { code, signal } = await ended(child);
  process.exit(code ?? 128 + (signal === null ? 1 : constants.signals[signal]));
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
function ended(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}
