import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DataDirInUseError, openDataDirLock } from "./open-data-dir-lock.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "data-dir-lock-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const lockFile = () => path.join(directory, "stack.lock");

test("a second stack is refused while the first one holds the directory, and told its pid", () => {
  using _lock = openDataDirLock(directory);
  expect(() => openDataDirLock(directory)).toThrow(DataDirInUseError);
  expect(() => openDataDirLock(directory)).toThrow(`process ${process.pid}`);
});

test("releasing leaves nothing behind, and the next one gets it", () => {
  openDataDirLock(directory)[Symbol.dispose]();
  expect(readdirSync(directory)).toEqual([]);
  openDataDirLock(directory)[Symbol.dispose]();
});

test("the lock of a dead process is taken over", () => {
  const { pid } = spawnSync("true");
  writeFileSync(lockFile(), `${pid} 1`);
  using _lock = openDataDirLock(directory);
  expect(readFileSync(lockFile(), "utf8")).toContain(`${process.pid} `);
});

test.runIf(process.platform === "linux")(
  "a living process that only has the same pid is not the holder",
  () => {
    writeFileSync(lockFile(), `${process.ppid} 1`);
    using _lock = openDataDirLock(directory);
    expect(readFileSync(lockFile(), "utf8")).toContain(`${process.pid} `);
  },
);

test("a lock file of nonsense is taken over", () => {
  writeFileSync(lockFile(), "");
  using _lock = openDataDirLock(directory);
  expect(readdirSync(directory)).toEqual(["stack.lock"]);
});
