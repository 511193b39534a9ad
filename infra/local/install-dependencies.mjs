import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { runShowingProgress } from "./progress.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const pnpm = "pnpm@12.21.0";
// Written after an install has succeeded: a broken-off one counts as none.
const stampFile = path.join(root, "node_modules/.forebay-lockfile");

/** Installs what pnpm-lock.yaml says, unless that is what is installed. */
export async function installDependencies() {
  const wanted = hashOf(path.join(root, "pnpm-lock.yaml"));
  if (readStamp() === wanted) return;
  await runShowingProgress(
    "Installing dependencies",
    "npx",
    ["-y", pnpm, "--dir", root, "install", "--frozen-lockfile"],
    // CI=true: no questions (pnpm asks before it replaces a node_modules of another layout).
    { ...process.env, CI: "true" },
  );
  mkdirSync(path.dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, `${wanted}\n`);
}

/** @param {string} file */
function hashOf(file) {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function readStamp() {
  try {
    return readFileSync(stampFile, "utf8").trim();
  } catch {
    return undefined;
  }
}
