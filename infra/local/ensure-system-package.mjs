import { accessSync, constants } from "node:fs";
import path from "node:path";
import { runShowingProgress } from "./progress.mjs";

/**
 * @typedef {object} Manager
 * @property {string} command
 * @property {boolean} needsRoot
 * @property {string[][]} steps run in order; the package's name is appended to the last
 */

/** @type {Manager[]} */
const managers = [
  { command: "apt-get", needsRoot: true, steps: [["update"], ["install", "-y", "--no-install-recommends"]] },
  { command: "dnf", needsRoot: true, steps: [["install", "-y"]] },
  { command: "apk", needsRoot: true, steps: [["add", "--no-cache"]] },
  { command: "pacman", needsRoot: true, steps: [["-S", "--noconfirm", "--needed"]] },
  { command: "brew", needsRoot: false, steps: [["install"]] },
];

// What provides a command, where it is not called like the command.
/** @type {Record<string, Record<string, string>>} */
const packages = {
  "redis-server": { dnf: "redis", apk: "redis", pacman: "redis", brew: "redis" },
};

/**
 * Makes sure that a program exists on this machine, through the system's package manager.
 *
 * @param {string} program
 * @param {number} [uid] whose rights count; default this process's
 * @throws with the exact command to run, where we may not or cannot
 */
export async function ensureSystemPackage(program, uid = process.getuid?.()) {
  if (findOnPath(program) !== undefined) return;
  const manager = managers.find(({ command }) => findOnPath(command) !== undefined);
  if (manager === undefined) {
    throw new Error(
      `${program} is missing, and none of the package managers known here (${managers.map((m) => m.command).join(", ")}) ` +
        `exists. Install it, so that \`${program} --version\` works, and run the command again${alternative(program)}.`,
    );
  }
  const commands = commandsFor(manager, program);
  if (manager.needsRoot && uid !== 0) {
    const lines = commands.map((command) => `  sudo ${command.join(" ")}`);
    throw new Error(
      `${program} is missing, and only root may install it. Run this, then the same command again${alternative(program)}:\n\n${lines.join("\n")}`,
    );
  }
  for (const [command = "", ...args] of commands) {
    await runShowingProgress(`${program} is missing: ${command} ${args.join(" ")}`, command, args, {
      ...process.env,
      DEBIAN_FRONTEND: "noninteractive",
    });
  }
  if (findOnPath(program) === undefined)
    throw new Error(`${manager.command} installed ${program}, yet it is not on PATH.`);
}

/**
 * @param {Manager} manager
 * @param {string} program
 */
function commandsFor(manager, program) {
  const name = packages[program]?.[manager.command] ?? program;
  return manager.steps.map((step, index) => {
    const last = index === manager.steps.length - 1;
    return [manager.command, ...step, ...(last ? [name] : [])];
  });
}

/** @param {string} program */
function alternative(program) {
  return program === "redis-server" ? " (or set REDIS_URL to a Redis you have)" : "";
}

/**
 * @param {string} program
 * @returns {string | undefined} its file
 */
export function findOnPath(program) {
  const files = (process.env.PATH ?? "")
    .split(path.delimiter)
    .map((directory) => path.join(directory, program));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
