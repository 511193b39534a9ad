import { execFileSync } from "node:child_process";
import path from "node:path";
import { root } from "./install-dependencies.mjs";

/**
 * The Node to run TypeScript with: the pinned one from node_modules, or, where the lockfile has none for this
 * system (macOS, musl), the one that runs us if it is new enough.
 */
export function findNode() {
  const pinned = path.join(root, "node_modules/.bin/node");
  if (runs(pinned)) return pinned;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 24 || (major === 24 && minor >= 11)) return process.execPath;
  throw new Error(
    `On ${process.platform} ${process.arch} Forebay uses your own Node, which must be 24.11 or newer; this one is ` +
      `${process.versions.node}. Install Node 24 (https://nodejs.org/en/download) and run the command again.`,
  );
}

/** @param {string} node */
function runs(node) {
  try {
    execFileSync(node, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
