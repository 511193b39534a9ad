import {
  type Failure,
  type InferenceJob,
  inferenceJobSchema,
  type InferenceResult,
  inferenceResultSchema,
  type JobState,
  parseFailedReason,
  type StartRecord,
  stateOfFailure,
} from "@forebay/queue-contracts";
import type { StopReason } from "../control/request-stop.ts";
import { parseJson } from "../redis/parse-json.ts";
import type { LimitStanding } from "../scheduling/limit-standing.ts";
import { parseStarts } from "./starts.ts";

export { parseJson } from "../redis/parse-json.ts";

/** A job as Redis holds it, parsed. */
export type JobRecord = {
  readonly id: string;
  readonly queueName: string;
  readonly state: JobState;
  /** undefined: the payload does not parse. */
  readonly job: InferenceJob | undefined;
  /** The payload as it stands, for those who must show or repair it. */
  readonly payload: unknown;
  readonly createdAt: Date;
  /** It was submitted to begin so long after its creation; milliseconds. */
  readonly delayMs: number;
  readonly finishedAt: Date | undefined;
  readonly attemptsMade: number;
  readonly attemptsMax: number;
  readonly starts: readonly StartRecord[];
  /** Those since it was last put back by hand. */
  readonly sinceFresh: readonly StartRecord[];
  readonly putBack: boolean;
  /** Somebody asked for it to be stopped, and it has not been yet. */
  readonly stop: StopReason | undefined;
  readonly tokens: number;
  /** Jobs that would run before it on its queue; only while waiting. */
  readonly position: number | undefined;
  /** Its place among the jobs of all queues, in ticks; only while waiting. */
  readonly tag: number | undefined;
  /** How its tenant's limit of running jobs bears on it; while it is met, the job has no position. */
  readonly standing: LimitStanding;
  readonly result: InferenceResult | undefined;
  readonly failure: Failure | undefined;
  readonly stack: readonly string[];
  /** Set once dlq-handler has a dead letter of this failure. */
  readonly deadLettered: boolean;
};

/** Fields of its hash that a record is made of. */
export const recordFields = [
  "data",
  "opts",
  "timestamp",
  "finishedOn",
  "atm",
  "starts",
  "stop",
  "progress",
  "returnvalue",
  "failedReason",
  "stacktrace",
  "dl",
] as const;

/** They, or all there are. */
export type JobHash = Readonly<Record<string, string>>;

/** Final state from the hash alone, or undefined when only BullMQ's sets know the state. */
export function finalStateOf(hash: JobHash): JobState | undefined {
  if (hash["finishedOn"] === undefined) return undefined;
  if (hash["failedReason"] !== undefined && hash["returnvalue"] === undefined) {
    return stateOfFailure(parseFailedReason(hash["failedReason"]).code);
  }
  return "completed";
}

export function parseJobRecord(
  id: string,
  queueName: string,
  hash: JobHash,
  where: {
    state: JobState;
    position?: number | undefined;
    tag?: number | undefined;
    standing?: LimitStanding | undefined;
  },
): JobRecord {
  const payload = parseJson(hash["data"]);
  const options = parseJson(hash["opts"]) as { attempts?: number; delay?: number } | undefined;
  const { state, position, tag, standing = "" } = where;
  const starts = parseStarts(hash["starts"]);
  return {
    id,
    queueName,
    state,
    position,
    tag,
    standing,
    payload,
    job: inferenceJobSchema.safeParse(payload).data,
    delayMs: options?.delay ?? 0,
    createdAt: new Date(Number(hash["timestamp"] ?? 0)),
    finishedAt: hash["finishedOn"] === undefined ? undefined : new Date(Number(hash["finishedOn"])),
    attemptsMade: Number(hash["atm"] ?? 0),
    attemptsMax: Math.max(1, options?.attempts ?? 1),
    starts: starts.all,
    sinceFresh: starts.sinceFresh,
    putBack: starts.putBack,
    stop: stopOf(hash["stop"]),
    tokens: tokensOf(hash),
    result: state === "completed" ? parseResult(hash) : undefined,
    failure: failureOf(state, hash),
    stack: stackOf(hash),
    deadLettered: hash["dl"] !== undefined,
  };
}

function stopOf(text: string | undefined): StopReason | undefined {
  return text === "cancelled" || text === "timed_out" ? text : undefined;
}

function failureOf(state: JobState, hash: JobHash): Failure | undefined {
  const final = state === "failed" || state === "cancelled" || state === "expired" || state === "timed_out";
  return final && hash["failedReason"] !== undefined ? parseFailedReason(hash["failedReason"]) : undefined;
}

function parseResult(hash: JobHash): InferenceResult | undefined {
  return inferenceResultSchema.safeParse(parseJson(hash["returnvalue"])).data;
}

function tokensOf(hash: JobHash): number {
  const progress = parseJson(hash["progress"]);
  const tokens =
    typeof progress === "object" && progress !== null && "tokens" in progress ? progress.tokens : 0;
  return typeof tokens === "number" ? tokens : 0;
}

function stackOf(hash: JobHash): string[] {
  const stack = parseJson(hash["stacktrace"]);
  return Array.isArray(stack) ? stack.map(String) : [];
}
