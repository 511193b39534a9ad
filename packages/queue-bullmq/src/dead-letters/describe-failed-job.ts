import {
  type DeadLetter,
  inferenceJobSchema,
  parseFailedReason,
  type StartRecord,
  stateOfFailure,
} from "@forebay/queue-contracts";
import { finalStateOf, type JobHash, parseJson } from "../jobs/job-record.ts";
import { parseStarts } from "../jobs/starts.ts";
import { fingerprintOf } from "./fingerprint.ts";

const stackEntriesMax = 10;
const stackCharsMax = 4_000;

/** Whether the job ended in a way that leaves a dead letter: not completed, cancelled or expired. */
export function leavesDeadLetter(hash: JobHash): boolean {
  const state = finalStateOf(hash);
  return state === "failed" || state === "timed_out";
}

/** As above, from the reason alone. */
export function isDeadLetterReason(failedReason: string): boolean {
  const state = stateOfFailure(parseFailedReason(failedReason).code);
  return state === "failed" || state === "timed_out";
}

/** The dead letter of a failed job's hash. Nothing in the hash is trusted: it may be any producer's. */
export function describeFailedJob(
  id: string,
  queue: { name: string; model: string },
  hash: JobHash,
): DeadLetter {
  const payload = payloadOf(hash["data"]);
  const failure = parseFailedReason(hash["failedReason"] ?? "");
  const attempts = attemptsOf(hash["starts"]);
  const model = textAt(payload, "model") ?? queue.model;
  const failedAt = isoTime(hash["finishedOn"]);
  return {
    v: 1,
    job_id: id,
    state: "dead",
    queue: queue.name,
    tenant: textAt(payload, "tenant") ?? "unknown",
    type: textAt(payload, "type") ?? "unknown",
    model,
    lane: textAt(payload, "lane") ?? "unknown",
    failure,
    stack: stackOf(hash["stacktrace"]),
    attempts,
    attempts_made: wholeNumber(hash["atm"]),
    fingerprint: fingerprintOf(failure, model),
    worker: attempts.at(-1)?.worker ?? null,
    created_at: isoTime(hash["timestamp"]),
    first_failed_at: failedAt,
    last_failed_at: failedAt,
    redrives: 0,
    payload,
  };
}

/** Whether a worker could read the payload. */
export function isValidPayload(payload: unknown): boolean {
  return inferenceJobSchema.safeParse(payload).success;
}

/** The payload as JSON, or as the text it is where it is no JSON. */
function payloadOf(data: string | undefined): unknown {
  const parsed = parseJson(data);
  return parsed === undefined ? (data ?? null) : parsed;
}

function attemptsOf(starts: string | undefined): StartRecord[] {
  try {
    return parseStarts(starts).all;
  } catch {
    return [];
  }
}

function stackOf(text: string | undefined): string[] {
  const stack = parseJson(text);
  if (!Array.isArray(stack)) return [];
  return stack.slice(-stackEntriesMax).map((entry) => String(entry).slice(0, stackCharsMax));
}

function textAt(payload: unknown, name: string): string | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  const value = (payload as Record<string, unknown>)[name];
  return typeof value === "string" && value.length <= 256 ? value : undefined;
}

function wholeNumber(text: string | undefined): number {
  const value = Number(text ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function isoTime(ms: string | undefined): string {
  const time = new Date(Number(ms));
  return Number.isNaN(time.getTime()) ? new Date(0).toISOString() : time.toISOString();
}
