import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const module = path.resolve(import.meta.dirname, "../ensure-system-package.mjs");
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "bare-machine-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A program of the bare machine: its directory is all there is on PATH. */
function addProgram(name: string, script: string): void {
  const file = path.join(directory, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

const calls = () => path.join(directory, "calls");
// Notes how it was called, and "installs".
const manager = (installed: string) => `
echo "$0 $*" >> ${calls()}
case "$*" in *install*|*add*) echo > ${directory}/${installed}; /bin/chmod +x ${directory}/${installed};; esac`;

function ensureRedis(uid: number): { status: number | null; stderr: string } {
  const script = `import { ensureSystemPackage } from ${JSON.stringify(module)};
    await ensureSystemPackage("redis-server", ${uid}).catch((error) => { console.error(error.message); process.exit(1); });`;
  const args = ["--input-type=module", "-e", script];
  return spawnSync(process.execPath, args, { env: { PATH: directory }, encoding: "utf8" });
}

test("a program that is there is left alone", () => {
  addProgram("redis-server", "");
  addProgram("apt-get", manager("redis-server"));
  expect(ensureRedis(0).status).toBe(0);
  expect(existsSync(calls())).toBe(false);
});

test("root on Debian: the package lists are read, then it is installed, with progress", () => {
  addProgram("apt-get", manager("redis-server"));
  const { status, stderr } = ensureRedis(0);
  expect(status).toBe(0);
  expect(readFileSync(calls(), "utf8").replaceAll(`${directory}/`, "")).toBe(
    "apt-get update\napt-get install -y --no-install-recommends redis-server\n",
  );
  expect(stderr).toMatch(/• redis-server is missing: apt-get install .* …\n✓/);
});

test.each([
  ["dnf", "install -y redis"],
  ["apk", "add --no-cache redis"],
])("elsewhere %s is used, with the package's name there", (command, args) => {
  addProgram(command, manager("redis-server"));
  expect(ensureRedis(0).status).toBe(0);
  expect(readFileSync(calls(), "utf8")).toContain(`${command} ${args}\n`);
});

test("without root the exact commands to run are told, and nothing is tried", () => {
  addProgram("apt-get", manager("redis-server"));
  const { status, stderr } = ensureRedis(1000);
  expect(status).toBe(1);
  expect(stderr).toContain(
    "sudo apt-get update\n  sudo apt-get install -y --no-install-recommends redis-server",
  );
  expect(stderr).toContain("REDIS_URL");
  expect(existsSync(calls())).toBe(false);
});

test("an unknown system is told what is missing", () => {
  const { status, stderr } = ensureRedis(0);
  expect(status).toBe(1);
  expect(stderr).toContain("redis-server is missing");
  expect(stderr).toContain("redis-server --version");
});

test("an installation that fails shows what the package manager said", () => {
  addProgram("apt-get", "echo 'E: Could not get lock' >&2; exit 100");
  const { status, stderr } = ensureRedis(0);
  expect(status).toBe(1);
  expect(stderr).toContain("E: Could not get lock");
  expect(stderr).toContain("`apt-get update` (100)");
});
