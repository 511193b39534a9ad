import {
  type Failure,
  type InferenceResult,
  inferenceResultSchema,
  jobIdTimeMs,
  type StartRecord,
} from "@forebay/queue-contracts";
import type { Job } from "bullmq";
import { moveRunningJob } from "../jobs/move-running-job.ts";
import { setDeadline } from "../control/deadlines.ts";
import type { StopReason } from "../control/request-stop.ts";
import { appendFenced, type FencedAppend, type LockedJob, openFencedStart } from "./fenced-record.ts";
import { parseJson } from "../jobs/job-record.ts";
import type { Outcome } from "./outcome.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import type { Ending, FetchedStart } from "../dispatch/turnover.ts";
import { parseStarts, type StartsLine, startsLine } from "../jobs/starts.ts";
import { tagFloor } from "@forebay/scheduling";
import { fairKeys } from "../scheduling/fair-keys.ts";
import { type Forecast, noteDispatch, untaggedShare } from "../scheduling/note-dispatch.ts";
import type { NewLogEntry, TokenData } from "../token-log/log-entry.ts";
import { hasDeadline, tenantOf } from "./record-final.ts";

/** Why a delivery's signal was aborted: the lock is gone, the worker stops, or somebody wants the job stopped. */
export type AbortReason = "lock_lost" | "shutdown" | StopReason;

/** One start of one job, handed to the handler. */
export type Delivery = {
  readonly id: string;
  /** Unparsed: the handler parses it. */
  readonly payload: unknown;
  readonly createdAt: Date;
  /** When it began, by Redis's clock. */
  readonly startedAt: Date;
  readonly attemptsMade: number;
  readonly attemptsMax: number;
  /** Starts before this one, since the job was last put back by hand. */
  readonly earlierStarts: readonly StartRecord[];
  /** Whether it was ever put back by hand: a start deadline no longer holds then. */
  readonly putBack: boolean;
  /** The answer an earlier start finished but did not live to record. */
  readonly kept: InferenceResult | undefined;
  /** What was foretold of it when it was put. */
  readonly forecast: Forecast;
  /** Aborted, with an AbortReason, when the work is to end now; may be aborted from the beginning. */
  readonly signal: AbortSignal;
  /** Notes which backend works on it, where that is not the one it was taken for. Throws LockLostError. */
  recordBackend(backend: string): Promise<void>;
  /** When the job's time is up, in milliseconds of Redis's clock, for whoever watches when this worker is dead. */
  recordDeadline(atMs: number): Promise<void>;
  /** Tokens so far; shown in the job's view. */
  reportProgress(tokens: number): Promise<void>;
  /**
   * Adds tokens to the job's log; the oldest entries beyond `entriesMax` are dropped. Throws LockLostError.
   *
   * @param counted tokens of the answer so far, told to readers behind these
   * @returns `lost`: Redis came back without some of the tokens before these; `rewriteTokens` makes it good
   */
  appendTokens(tokens: TokenData, entriesMax: number, counted?: number): Promise<"written" | "lost">;
  /** Tells readers how many tokens there are, where the log holds none of them. Throws LockLostError. */
  appendProgress(counted: number): Promise<void>;
  /** Tells readers to drop what they have, and gives them all tokens of this start so far. Throws LockLostError. */
  rewriteTokens(tokens: TokenData): Promise<void>;
};

type EndedBadly = Exclude<Outcome, { kind: "completed" }>;

export type DeliveryRecord = Delivery & {
  /**
   * Writes how the start ended before BullMQ is told; one that goes on with another model is on that one's queue then.
   * Throws LockLostError.
   */
  recordEnd(outcome: EndedBadly, gpuMs: number): Promise<void>;
  /** What is written when BullMQ is told that it completed. `unwritten`: all of the answer, if none is in the log. */
  describeEnd(result: InferenceResult, gpuMs: number, unwritten: TokenData | undefined): Ending;
};

/**
 * Opens the record of this start and reads what earlier ones left. Throws LockLostError.
 *
 * @param fetched what the command that took the job has done of that already
 */
export async function openDelivery(
  space: QueueSpace,
  job: Job,
  place: LockedJob & { queueName: string },
  by: { worker: string; backend?: string | undefined; abort: AbortController },
  fetched: FetchedStart | undefined,
): Promise<DeliveryRecord> {
  const { client } = space;
  const { opened, forecast } = fetched?.forecast
    ? { opened: fetched, forecast: fetched.forecast }
    : await openStart(space, job, place, by, fetched);
  if (opened.stop !== "") by.abort.abort(opened.stop satisfies string as StopReason);
  const earlier = parseStarts(opened.earlier);
  const attempt = job.attemptsMade + 1;
  const attemptsMax = Math.max(1, job.opts.attempts ?? 1);
  let seq = opened.seq;
  const append = (entries: readonly NewLogEntry[], add: Omit<FencedAppend, "entries" | "after"> = {}) => {
    const after = seq;
    seq += entries.length;
    return appendFenced(client, place, { ...add, entries, after });
  };
  return {
    id: place.id,
    payload: job.data as unknown,
    createdAt: new Date(job.timestamp),
    startedAt: new Date(opened.nowMs),
    attemptsMade: job.attemptsMade,
    attemptsMax,
    earlierStarts: earlier.sinceFresh,
    putBack: earlier.putBack,
    kept: opened.kept === "" ? undefined : inferenceResultSchema.safeParse(parseJson(opened.kept)).data,
    forecast,
    signal: by.abort.signal,
    recordBackend: async (backend) => void (await append([], { lines: [{ backend }] })),
    recordDeadline: (atMs) => setDeadline(space, place.id, atMs),
    async reportProgress(tokens) {
      if (!by.abort.signal.aborted) await job.updateProgress({ tokens });
    },
    // Behind the tokens: only with tokens first does the script see that Redis has lost some before them.
    appendTokens: (data, entriesMax, counted) =>
      append([{ event: "token", data }, ...(counted === undefined ? [] : [progressEntry(counted)])], {
        entriesMax,
      }),
    appendProgress: async (counted) => void (await append([progressEntry(counted)])),
    async rewriteTokens(data) {
      await append([
        { event: "restart", data: { attempt } },
        { event: "token", data },
      ]);
    },
    async recordEnd(outcome, gpuMs) {
      if (outcome.kind === "moved") {
        const to = { queueName: outcome.queueName, job: outcome.job };
        return moveRunningJob(space, { id: place.id, queueName: job.queueName, token: place.token }, to, {
          failure: outcome.failure,
          gpuMs,
        });
      }
      const last = outcome.kind === "retry" && attempt >= attemptsMax;
      const entries = last ? [] : backToQueue(outcome);
      const comesBack = !last && outcome.kind !== "discard";
      const backTo = comesBack ? place.queueName : undefined;
      const { queueName } = place;
      const charge = { keys: fairKeys(space), root: `${space.prefix}:`, queueName, usedMs: gpuMs, backTo };
      await append(entries, { lines: [endLine(outcome.kind, gpuMs, outcome.failure)], charge });
    },
    describeEnd(result, gpuMs, unwritten) {
      const tenant = tenantOf(job.data);
      return {
        line: startsLine(endLine("completed", gpuMs)),
        usedMs: gpuMs,
        tokens: result.usage.total_tokens,
        answer: unwritten ? JSON.stringify(unwritten) : "",
        after: seq,
        attempt,
        channel: place.channel,
        index: tenant === undefined ? undefined : { tenant, score: jobIdTimeMs(place.id) },
        hasDeadline: hasDeadline(job.data),
      };
    },
  };
}

function endLine(outcome: Outcome["kind"], gpuMs: number, failure?: Failure): StartsLine {
  return { end: { ended_at: new Date().toISOString(), outcome, gpu_ms: gpuMs, ...failure } };
}

async function openStart(
  space: QueueSpace,
  job: Job,
  place: LockedJob & { queueName: string },
  by: { worker: string; backend?: string | undefined },
  fetched: FetchedStart | undefined,
) {
  const untagged = job.priority < tagFloor ? untaggedShare(job.data) : undefined;
  const [opened, forecast] = await Promise.all([
    fetched ?? openFencedStart(space.client, place, by),
    noteDispatch(space, place, untagged),
  ]);
  return { opened, forecast };
}

const progressEntry = (tokens: number): NewLogEntry => ({ event: "progress", data: { tokens } });

/** The log's word for a job that comes back; one that ended is told by its state. */
function backToQueue(outcome: EndedBadly): NewLogEntry[] {
  const at_ms = Date.now();
  switch (outcome.kind) {
    case "discard":
    case "moved":
      return [];
    case "interrupted":
      return [{ event: "state", data: { state: "waiting", at_ms } }];
    case "retry":
    case "throttled":
      return [{ event: "state", data: { state: "delayed", at_ms } }];
  }
}
