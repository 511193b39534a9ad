import { CronExpressionParser } from "cron-parser";
import type { Rhythm } from "./schedule.ts";

export class InvalidRhythmError extends Error {
  readonly code = "invalid_rhythm";
  readonly field: "cron" | "tz";
  constructor(field: "cron" | "tz", message: string) {
    super(message);
    this.field = field;
  }
}

/**
 * The next times a schedule is due after `from`, at most `count`. Throws InvalidRhythmError for a cron
 * expression or time zone that cannot be read, or that never comes.
 */
export function nextRuns(rhythm: Rhythm, from: Date, count: number): Date[] {
  if ("every_ms" in rhythm) {
    // BullMQ aligns to multiples of the interval since 1970, so that a restart does not shift the rhythm.
    const first = Math.floor(from.getTime() / rhythm.every_ms + 1) * rhythm.every_ms;
    return Array.from({ length: count }, (_, index) => new Date(first + index * rhythm.every_ms));
  }
  requireTimeZone(rhythm.tz);
  requireFields(rhythm.cron);
  try {
    const cron = CronExpressionParser.parse(rhythm.cron, { currentDate: from, tz: rhythm.tz });
    return Array.from({ length: count }, () => cron.next().toDate());
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw Object.assign(new InvalidRhythmError("cron", `is not a cron expression that ever comes: ${why}`), {
      cause,
    });
  }
}

/** The parser fills in fields that are missing, and an empty expression would run every minute. */
function requireFields(cron: string): void {
  const fields = cron.trim().split(/\s+/).length;
  if (fields === 5 || fields === 6 || /^@[a-z]+$/.test(cron)) return;
  throw new InvalidRhythmError("cron", "must have 5 fields, or 6 with seconds in front, such as 0 3 * * *");
}

function requireTimeZone(tz: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone: tz });
  } catch {
    throw new InvalidRhythmError("tz", `is not a time zone of the IANA list, such as Europe/Brussels`);
  }
}
