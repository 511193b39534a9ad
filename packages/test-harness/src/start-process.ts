import { type Child, spawnChild } from "./spawn-child.ts";
import { waitFor } from "./wait-for.ts";

export interface ProcessOptions {
  /** A TypeScript or JavaScript file; it runs on the Node that runs the caller. */
  file: string;
  args?: readonly string[];
  /** All it gets beside PATH, HOME and the like: what the tests' own environment holds does not leak in. */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** Started means: this appears in its output, or this URL answers 200. */
  ready: RegExp | string;
  /** Default 20 s. */
  readyTimeoutMs?: number;
}

export interface ProcessHandle extends Child, AsyncDisposable {
  /** SIGTERM, then SIGKILL if it is still there after `timeoutMs` (default 15 s). */
  stop(timeoutMs?: number): Promise<void>;
}

const inherited = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "NODE_COMPILE_CACHE"];

/** @throws if the process ends before it is ready or is not ready in time; the error shows its output. */
export async function startProcess(options: ProcessOptions): Promise<ProcessHandle> {
  const env = { ...Object.fromEntries(inherited.map((name) => [name, process.env[name]])), ...options.env };
  const { cwd = process.cwd(), ready, readyTimeoutMs = 20_000 } = options;
  const child = await spawnChild(process.execPath, [options.file, ...(options.args ?? [])], { env, cwd });
  try {
    await waitFor(async () => !child.running() || (await isReady(child, ready)), {
      timeoutMs: readyTimeoutMs,
      what: `${options.file} is ready (${String(ready)})`,
    });
    if (!child.running()) throw new Error(`${options.file} ended before it was ready`);
  } catch (error) {
    await child.kill("SIGKILL");
    throw new Error(`${error instanceof Error ? error.message : error}; its output:\n${child.output()}`);
  }
  const stop = (timeoutMs = 15_000) => stopChild(child, timeoutMs);
  return { ...child, stop, [Symbol.asyncDispose]: stop };
}

async function isReady(child: Child, ready: RegExp | string): Promise<boolean> {
  if (ready instanceof RegExp) return ready.test(child.output());
  const answer = await fetch(ready, { signal: AbortSignal.timeout(2_000) });
  await answer.body?.cancel();
  return answer.ok;
}

async function stopChild(child: Child, timeoutMs: number): Promise<void> {
  if (!child.running()) return;
  const kill = setTimeout(() => void child.kill("SIGKILL"), timeoutMs);
  await Promise.all([child.kill("SIGTERM"), child.kill("SIGCONT")]);
  clearTimeout(kill);
}
