import { type Logger, pino } from "pino";
import { openPrettyDestination } from "./pretty-destination.ts";

export type { Logger } from "pino";

const secretHeaders = [
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "x-ollama-key",
  "cookie",
  "set-cookie",
];

/** ioredis puts the command Redis refused into the error, with everything it was to store. */
const refusedCommand = ["err.command.args"];

/**
 * One JSON object per line on stdout (`time`, `level`, `service`, `msg`, then the caller's fields), or with
 * `pretty` one short line for a person. Header values that carry credentials are replaced, whether logged
 * bare, in `headers` or in `req.headers`/`res.headers`; so are the arguments of a command Redis refused.
 */
export function createLogger(options: { service: string; level: string; pretty?: boolean }): Logger {
  const settings = {
    level: options.level,
    base: { service: options.service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: [...secretHeaders.flatMap(pathsOf), ...refusedCommand], censor: "[redacted]" },
  };
  return pino(settings, options.pretty ? openPrettyDestination() : pino.destination(gathered));
}

// Gathered for a moment: a write per line costs as much as the request it tells of, and a synchronous one to a
// reader that lags stops the process for 100 ms. What is gathered at an exit is written before it (by pino), so
// that the line that explains the exit is there; only SIGKILL takes the last moment with it.
const gathered = {
  sync: false,
  minLength: 32_768,
  maxWrite: 65_536,
  periodicFlush: 100,
  maxLength: 16 * 1_024 * 1_024,
};

function pathsOf(header: string): string[] {
  return ["", "headers", "req.headers", "res.headers"].map((parent) => `${parent}["${header}"]`);
}
