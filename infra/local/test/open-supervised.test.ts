import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLogger } from "@forebay/service-runtime";
import { isAlive, openReaper, waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLogFile, readLastLines } from "../log-file.ts";
import { openSupervised, type Program, type Supervision } from "../open-supervised.ts";

let directory: string;
let stack: AsyncDisposableStack;
let gaveUp: Error[];
let stopping: AbortController;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "supervised-"));
  stack = new AsyncDisposableStack();
  gaveUp = [];
  stopping = new AbortController();
});
afterEach(async () => {
  await stack.disposeAsync();
  rmSync(directory, { recursive: true });
});

function program(behaviour: string): Program {
  return {
    name: "program",
    command: process.execPath,
    args: [path.join(import.meta.dirname, "fixtures/program.ts"), path.join(directory, "runs"), behaviour],
    env: process.env,
    logFile: createLogFile(directory, "program"),
    isReady: async () => runs().length > 0,
  };
}

function supervision(): Supervision {
  return {
    logger: createLogger({ service: "test", level: "silent" }),
    reaper: openReaper({ graceMs: 0 }),
    stopping: stopping.signal,
    giveUp: (error) => gaveUp.push(error),
    stopTimeoutMs: 300,
    firstDelayMs: 5,
  };
}

/** The pids of all runs so far. */
function runs(): number[] {
  const file = path.join(directory, "runs");
  if (!existsSync(file)) return [];
  return Array.from(readFileSync(file, "utf8").matchAll(/run (\d+)\n/g), ([, pid]) => Number(pid));
}

test("a program that dies before it is ready is reported with its exit code and last lines", async () => {
  const supervised = stack.use(
    openSupervised({ ...program("dies-at-once"), isReady: async () => false }, supervision()),
  );
  await expect(supervised.ready).rejects.toThrow(/exit code 4[^]*\| no disk/);
  expect(runs()).toHaveLength(1);
});

test("a command that does not exist is reported", async () => {
  const supervised = stack.use(
    openSupervised({ ...program(""), command: "/nowhere/redis-server" }, supervision()),
  );
  await expect(supervised.ready).rejects.toThrow("ENOENT");
});

test("a program that dies later is started again", async () => {
  await stack.use(openSupervised(program("dies-once"), supervision())).ready;
  await waitFor(() => runs().length === 2, { what: "the second run" });
  expect(isAlive(runs()[1] ?? 0)).toBe(true);
  expect(gaveUp).toEqual([]);
});

test("a program that dies again and again is given up after five restarts", async () => {
  await stack.use(openSupervised(program("always-dies"), supervision())).ready;
  await waitFor(() => gaveUp.length > 0, { what: "giving up" });
  expect(gaveUp[0]?.message).toMatch(/exit code 9[^]*restarted 5 times/);
  expect(runs()).toHaveLength(6);
});

test("a program that dies while everything stops is not started again", async () => {
  await stack.use(openSupervised(program("dies-once"), supervision())).ready;
  stopping.abort();
  await stack.disposeAsync();
  expect(runs()).toHaveLength(1);
});

test("closing ends the program, also one that ignores SIGTERM", async () => {
  await stack.use(openSupervised(program("stubborn"), supervision())).ready;
  await waitFor(() => readLastLines(path.join(directory, "program.log"), 1) === "run 1", {
    what: "its first line",
  });
  await stack.disposeAsync();
  expect(isAlive(runs()[0] ?? 0)).toBe(false);
  expect(readLastLines(path.join(directory, "program.log"), 1)).toBe("not yet");
});

test("the log of the run before is kept, and the one before that is not", () => {
  for (const _ of [1, 2, 3]) createLogFile(directory, "program");
  expect(existsSync(path.join(directory, "program.log"))).toBe(true);
  expect(existsSync(path.join(directory, "program.previous.log"))).toBe(true);
});
