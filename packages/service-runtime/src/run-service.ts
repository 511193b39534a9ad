import { ConfigError } from "./config-error.ts";
import { listenForStop, type StopRequest } from "./listen-for-stop.ts";
import type { Logger } from "./logger.ts";
import { releaseStartMemory } from "./release-start-memory.ts";
import { StartError } from "./start-error.ts";

export interface ServiceContext {
  /** Everything opened goes on it, in the order of opening; it is disposed in reverse. */
  stack: AsyncDisposableStack;
  /** Aborts when the service should stop: take no more work. Disposal follows. */
  stopping: AbortSignal;
  /** For a part that cannot go on, such as a loop that broke: the error is logged, all is closed, exit 1. */
  fail: (error: unknown) => void;
}

export interface ServiceOptions {
  name: string;
  /** How long disposing may take for work under way; 5 s later the process exits whatever is left. */
  graceMs: number;
  logger: Logger;
}

const overtimeMs = 5_000;

/**
 * The life of a process: `start` opens, then it runs until SIGTERM, SIGINT, `fail` or an unhandled error; then
 * `stopping` aborts, the stack is disposed in reverse, and the process exits: 0 after a clean stop by signal,
 * else 1. A second signal exits at once, as does the deadline `graceMs` + 5 s after the first.
 *
 *     starting ── start resolves ──▶ running ── signal | fail | unhandled error ──▶ stopping ──▶ exit 0 | 1
 *        │ └───── signal ───── (start settles) ─────────────────────────────────────▶ ▲
 *        └─ start throws ─────────────────────────────────────────────────────────────┘ exit 1
 */
export async function runService(
  options: ServiceOptions,
  start: (service: ServiceContext) => Promise<void>,
): Promise<void> {
  const { name, graceMs, logger } = options;
  const stack = new AsyncDisposableStack();
  const stopping = new AbortController();
  const { requested, listener } = listenForStop(() => {
    logger.fatal("second signal: exit at once");
    process.exit(1);
  });
  const fail = (error: unknown) => listener.requestStop({ reason: "a part of it failed", error });
  const deadline = requested.then((stop) => {
    recordStop(logger, name, stop);
    stopping.abort();
    return setTimeout(() => exitAtDeadline(logger, graceMs + overtimeMs), graceMs + overtimeMs);
  });

  const started = await attempt(() => start({ stack, stopping: stopping.signal, fail }));
  if (started.error !== undefined && !stopping.signal.aborted) {
    recordFailedStart(logger, name, started.error);
    listener.requestStop({ reason: "start failed" });
  } else if (!stopping.signal.aborted) {
    releaseStartMemory();
    logger.info(`${name} started`);
  }
  const stop = await requested;
  const disposed = await attempt(() => stack.disposeAsync());
  for (const error of flattenErrors(disposed.error)) logger.error({ err: error }, "closing failed");
  clearTimeout(await deadline);
  const clean = stop.signal !== undefined && disposed.error === undefined;
  logger.info({ clean }, `${name} stopped`);
  process.exit(clean ? 0 : 1);
}

/** Runs a configuration loader; a ConfigError is printed for a person, without a stack, and exits 1. */
export function exitOnConfigError<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

function recordStop(logger: Logger, name: string, stop: StopRequest): void {
  if (stop.error !== undefined) logger.fatal({ err: stop.error }, `${name} stops: ${stop.reason}`);
  else if (stop.signal !== undefined) logger.info({ signal: stop.signal }, `${name} stops`);
}

function recordFailedStart(logger: Logger, name: string, error: unknown): void {
  if (error instanceof StartError)
    logger.fatal({ code: error.code }, `${name} did not start: ${error.message}`);
  else logger.fatal({ err: error }, `${name} did not start`);
}

function exitAtDeadline(logger: Logger, deadlineMs: number): never {
  const open = [...new Set(process.getActiveResourcesInfo())];
  logger.fatal({ deadline_ms: deadlineMs, open }, "stop deadline passed: exit with work under way");
  process.exit(1);
}

async function attempt(action: () => Promise<void>): Promise<{ error: unknown }> {
  try {
    await action();
    return { error: undefined };
  } catch (error) {
    return { error: error ?? new Error("thrown without an error") };
  }
}

// A stack that meets several failures nests them: the newest outside, what it suppressed inside.
function flattenErrors(error: unknown): unknown[] {
  if (error === undefined) return [];
  if (error instanceof SuppressedError)
    return [...flattenErrors(error.suppressed), ...flattenErrors(error.error)];
  return [error];
}
