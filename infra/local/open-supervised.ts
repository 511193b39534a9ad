import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type Logger, StartError } from "@forebay/service-runtime";
import type { Reaper } from "@forebay/test-harness";
import { readLastLines } from "./log-file.ts";

export interface Program {
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** Whether the process with this pid can do its work; asked again until it says so. */
  isReady: (pid: number) => Promise<boolean>;
}

export interface Supervision {
  logger: Logger;
  reaper: Reaper;
  /** From its abort on, a child that ends is not started again. */
  stopping: AbortSignal;
  /** A program died again and again: the stack cannot go on. */
  giveUp: (error: Error) => void;
  /** How long a program may take to stop before it is killed. */
  stopTimeoutMs: number;
  /** Before the first restart; doubled before each further one. Default 1 s. */
  firstDelayMs?: number;
}

export interface Supervised extends AsyncDisposable {
  /** Resolves when the program is ready for the first time; rejects with its last lines if it ends before. */
  ready: Promise<void>;
}

const restartsMax = 5;
// A run this long was a good one: what ends it is a new trouble, with restarts of its own.
const goodRunMs = 60_000;
const pollMs = 100;

/**
 * Runs a program, and again when it dies after it was ready: 1, 2, 4, 8, 16 s later, then it gives up.
 * Disposing sends SIGTERM and waits for the end, whatever state the program is in.
 */
export function openSupervised(program: Program, supervision: Supervision): Supervised {
  const { stopping, firstDelayMs = 1_000 } = supervision;
  const closing = new AbortController();
  const stopped = AbortSignal.any([stopping, closing.signal]);
  let child = launch(program, supervision.reaper);

  const ready = untilReady(program, child, stopped);
  const kept = ready.then(
    () => keepRunning(),
    // Whoever awaits `ready` hears of it.
    () => undefined,
  );

  async function keepRunning(): Promise<void> {
    for (let restarts = 0; ; restarts++) {
      const startedAt = performance.now();
      await ended(child);
      if (stopped.aborted) return;
      if (performance.now() - startedAt > goodRunMs) restarts = 0;
      const death = describeDeath(program, child);
      if (restarts === restartsMax) {
        return supervision.giveUp(
          new StartError("child_died", `${death}\nIt was restarted ${restartsMax} times.`),
        );
      }
      const delayMs = firstDelayMs * 2 ** restarts;
      supervision.logger.error(`${death}\nStarting it again in ${delayMs / 1000} s.`);
      await pause(delayMs, undefined, { signal: stopped }).catch(() => undefined);
      if (stopped.aborted) return;
      child = launch(program, supervision.reaper);
    }
  }

  return {
    ready,
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await stopChild(program, child, supervision);
      await kept;
    },
  };
}

// In a process group of its own: a Ctrl-C in the terminal reaches us, and we stop the children in order.
function launch({ command, args, env, logFile }: Program, reaper: Reaper): ChildProcess {
  const log = openSync(logFile, "a");
  const child = spawn(command, args, { env, stdio: ["ignore", log, log], detached: true });
  closeSync(log);
  reaper.watch(child);
  return child;
}

async function untilReady(program: Program, child: ChildProcess, stopped: AbortSignal): Promise<void> {
  const exited = ended(child).then((error) => {
    throw new StartError("child_died", describeDeath(program, child, error));
  });
  exited.catch(() => undefined);
  while (!(await Promise.race([exited, program.isReady(child.pid ?? 0)]))) {
    await Promise.race([exited, pause(pollMs, undefined, { signal: stopped })]);
  }
}

/** Resolves once the process is gone; with an error if it could not be started at all. */
function ended(child: ChildProcess): Promise<Error | undefined> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    child.once("exit", () => resolve(undefined));
    child.once("error", resolve);
  });
}

async function stopChild(
  program: Program,
  child: ChildProcess,
  { logger, stopTimeoutMs }: Supervision,
): Promise<void> {
  if (child.pid === undefined) return;
  const gone = ended(child);
  child.kill("SIGTERM");
  const kill = setTimeout(() => {
    logger.error(`${program.name} did not stop within ${stopTimeoutMs / 1000} s: killed.`);
    child.kill("SIGKILL");
  }, stopTimeoutMs);
  await gone;
  clearTimeout(kill);
}

function describeDeath({ name, logFile }: Program, child: ChildProcess, error?: Error): string {
  const how =
    error?.message ?? (child.signalCode === null ? `exit code ${child.exitCode}` : child.signalCode);
  const lines = readLastLines(logFile, 15).replaceAll(/^/gm, "  | ");
  return `${name} ended unexpectedly (${how}). The end of ${logFile}:\n${lines}`;
}
