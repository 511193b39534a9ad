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
  // Written synchronously: the line that explains an exit is worth nothing if the exit swallows it.
  return options.pretty
    ? pino(settings, openPrettyDestination())
    : pino(settings, pino.destination({ sync: true }));
}

function pathsOf(header: string): string[] {
  return ["", "headers", "req.headers", "res.headers"].map((parent) => `${parent}["${header}"]`);
}
