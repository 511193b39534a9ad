import {
  cancelJob,
  type JobRecord,
  leaveCall as leaveOnQueue,
  type LeftCall,
  type LogEntry,
  readJob,
  takeLeftCall,
} from "@forebay/queue-bullmq";
import type { InferenceJob } from "@forebay/queue-contracts";
import type { Caller } from "../auth/caller.ts";
import { type FeedSink, openJobFeed } from "../routes/jobs/events/job-feed.ts";
import type { JobDeps } from "../routes/jobs/job-deps.ts";
import { findJob } from "../routes/jobs/find-job.ts";
import { fingerprintBody } from "../routes/jobs/fingerprint-body.ts";
import { acceptJob, type DraftJob, placeJob } from "../routes/jobs/place-job.ts";
import { submitOnce } from "../routes/jobs/submit-once.ts";
import { splitDelta } from "./split-delta.ts";
import { awaitEnd } from "./await-end.ts";
import { leaveCall } from "./leave-call.ts";
import { type AnswerContinuation, type AnswerDelta, createAnswerContinuation } from "./continue-answer.ts";

/** What happens to a call, in order. `ended` or `broken` is the last. */
type CallEvent =
  | ({ kind: "delta" } & AnswerDelta)
  /** Nothing has happened for a while. */
  | { kind: "idle" }
  | { kind: "ended"; job: JobRecord }
  /** The job goes on or has ended, and what it says cannot be told here any more. */
  | { kind: "broken"; why: string };

/** A job somebody waits for, on an open connection. */
export type Call = {
  readonly id: string;
  readonly createdAt: Date;
  /** The model that serves it; may change while its events are read, when it goes on with another one. */
  readonly model: string;
  /** It was opened before, with the same idempotency key. */ readonly replayed: boolean;
  /** What its tenant's limits leave, for the answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** To be read once. Ends after `ended` or `broken`, or when the signal aborts. */
  events(signal: AbortSignal): AsyncGenerator<CallEvent>;
  /** The job once it ended, without what comes before; undefined: it is gone, or the signal aborted first. */
  ended(signal: AbortSignal, onIdle: () => void): Promise<JobRecord | undefined>;
  /** Ends the job unless it has ended. */
  cancel(): Promise<void>;
  /** The client was cut off before it was told anything: ends the job, unless the client comes back for it at once. */
  leave(): Promise<void>;
  /** The client was told nothing it could use: should it come back, it gets this job. */
  abandon(): Promise<void>;
};

/** How far ahead of a slow client a call may run. */
const eventsAheadMax = 1_000;

export type CallOptions = {
  readonly attempts: number;
  /** An `idle` event comes when nothing else came for so long. */ readonly idleMs: number;
  /** The same call with the same key is the same job. */ readonly idempotencyKey?: string | undefined;
  /** Tries before this one, of a client that tries again by itself. */ readonly sdkRetry?:
    | number
    | undefined;
};

/** Puts a job on the queue for a caller who waits for it, or finds the one it made before. Throws Problem. */
export async function openCall(
  deps: JobDeps,
  caller: Caller,
  job: InferenceJob,
  options: CallOptions,
): Promise<Call> {
  const { attempts, idleMs, idempotencyKey, sdkRetry } = options;
  const draft = { caller, job, attempts, delayMs: 0 };
  const comesBack = sdkRetry !== undefined && idempotencyKey === undefined && deps.calls.retryGraceMs > 0;
  const left = comesBack ? { tenant: caller.tenant, fingerprint: fingerprintBody(job) } : undefined;
  const found = left && sdkRetry ? await findLeft(deps, left) : undefined;
  const submitted =
    found ??
    (await (idempotencyKey === undefined
      ? submitAnew(deps, draft)
      : submitByKey(deps, draft, idempotencyKey)));
  const { id, queueName, createdAt, replayed } = submitted;
  let { model } = submitted;
  const goOn = (now: string): void => {
    model = now;
  };
  const call: Call = {
    id,
    createdAt,
    get model() {
      return model;
    },
    replayed,
    headers: submitted.headers,
    events: (signal) => readEvents(deps, { id, queueName, goOn }, idleMs, signal),
    async ended(signal, onIdle) {
      const entries = (all: readonly LogEntry[]): void => all.forEach((entry) => noteModel(entry, goOn));
      const job = await awaitEnd(deps, { id, queueName }, idleMs, signal, { idle: onIdle, entries });
      if (job?.job) goOn(job.job.model);
      return job;
    },
    async cancel() {
      const answer = await cancelJob(deps.space, { id, queueName, tenant: caller.tenant });
      if (answer !== "missing") return;
      const moved = await readJob(deps.space, deps.directory, id);
      if (moved) await cancelJob(deps.space, { ...moved, tenant: caller.tenant });
    },
    leave: () => (left ? leaveCall(deps, left, call) : call.cancel()),
    async abandon() {
      if (left) await leaveOnQueue(deps.space, left, id);
    },
  };
  return call;
}

/** The job of an earlier try of the same call, which nobody else waits for; undefined: there is none. */
async function findLeft(deps: JobDeps, left: LeftCall): Promise<Submitted | undefined> {
  const id = await takeLeftCall(deps.space, left);
  const record = id === undefined ? undefined : await readJob(deps.space, deps.directory, id);
  // One that was cancelled all the same was not waited for long enough.
  if (!record?.job || record.state === "cancelled") return undefined;
  const { queueName, createdAt } = record;
  return { id: record.id, queueName, createdAt, model: record.job.model, replayed: true, headers: {} };
}

type Submitted = Pick<Call, "id" | "createdAt" | "model" | "replayed" | "headers"> & { queueName: string };

async function submitAnew(deps: JobDeps, draft: DraftJob): Promise<Submitted> {
  const placed = await placeJob(deps, draft);
  const { view, headers } = await acceptJob(deps, placed);
  const { id, queueName, job } = placed;
  deps.events.jobAccepted(id, job, draft.caller);
  const createdAt = new Date(view.created_at);
  return { id, queueName, createdAt, model: job.model, replayed: false, headers };
}

async function submitByKey(deps: JobDeps, draft: DraftJob, key: string): Promise<Submitted> {
  const { caller, job } = draft;
  const claim = { tenant: caller.tenant, key, fingerprint: fingerprintBody(job) };
  const { view, replayed, headers } = await submitOnce(deps, draft, claim);
  const { record } = await findJob(deps, caller, view.job_id);
  const { id, queueName, createdAt } = record;
  return { id, queueName, createdAt, model: record.job?.model ?? job.model, replayed, headers };
}

async function* readEvents(
  deps: JobDeps,
  place: { id: string; queueName: string; goOn: (model: string) => void },
  idleMs: number,
  signal: AbortSignal,
): AsyncGenerator<CallEvent> {
  const queue: CallEvent[] = [];
  let wake: () => void = () => undefined;
  let room: () => void = () => undefined;
  const push = (event: CallEvent): void => {
    queue.push(event);
    wake();
  };
  const feed = await openJobFeed(
    deps,
    place,
    1,
    sinkOf(deps, place, push, {
      flowing: () => queue.length < eventsAheadMax,
      drained: () =>
        queue.length < eventsAheadMax ? Promise.resolve() : new Promise<void>((go) => (room = go)),
    }),
  );
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort);
  try {
    while (!signal.aborted) {
      const event = queue.shift() ?? { kind: "idle" };
      if (
        event.kind === "idle" &&
        (await somethingCame(
          () => queue.length > 0,
          (go) => (wake = go),
          idleMs,
        ))
      )
        continue;
      if (signal.aborted) return;
      yield event;
      if (queue.length === 0) room();
      if (event.kind === "ended" || event.kind === "broken") return;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    feed.stop();
    room();
  }
}

/** Waits until something came, true, or `ms` passed, false. */
async function somethingCame(
  came: () => boolean,
  onWake: (go: () => void) => void,
  ms: number,
): Promise<boolean> {
  if (came()) return true;
  const { promise, resolve } = Promise.withResolvers<void>();
  onWake(resolve);
  const timer = setTimeout(resolve, ms);
  await promise;
  clearTimeout(timer);
  return came();
}

const begunAnew = "the generation had to begin anew and says something else now";

function sinkOf(
  deps: JobDeps,
  place: { id: string; goOn: (model: string) => void },
  push: (event: CallEvent) => void,
  pace: { flowing: () => boolean; drained: () => Promise<void> },
): FeedSink {
  const answer = createAnswerContinuation();
  let broken = false;
  const breakOff = (why: string): void => {
    if (!broken) push({ kind: "broken", why });
    broken = true;
  };
  const take = (entry: LogEntry): void => {
    if (broken) return;
    if (entry.event === "restart") answer.restart();
    noteModel(entry, place.goOn);
    if (entry.event !== "token") return;
    const fresh = answer.add(parseDelta(entry));
    if (!fresh) breakOff(begunAnew);
    else for (const piece of splitDelta(fresh)) push({ kind: "delta", ...piece });
  };
  return {
    accepted: () => undefined,
    entries: (entries) => entries.forEach(take),
    flowing: pace.flowing,
    async drained() {
      await pace.drained();
      return true;
    },
    ended(job) {
      if (job.job) place.goOn(job.job.model);
      if (job.result && answer.behind) breakOff(begunAnew);
      if (!broken) push({ kind: "ended", job });
    },
    // Without its log a job still has its end: whoever needs only that gets it.
    lost: () => void eventsWithoutLog(deps, place.id, answer).then((events) => events.forEach(push)),
    stalled: () => breakOff("the client does not read"),
    broken: () => breakOff("the queue cannot be read"),
  };
}

function noteModel({ event, data }: LogEntry, goOn: (model: string) => void): void {
  if (event !== "state") return;
  const { model } = JSON.parse(data) as { model?: string };
  if (model !== undefined) goOn(model);
}

async function eventsWithoutLog(deps: JobDeps, id: string, answer: AnswerContinuation): Promise<CallEvent[]> {
  const job = await readJob(deps.space, deps.directory, id).catch(() => undefined);
  if (!job?.finishedAt) return [{ kind: "broken", why: "the job's events are not kept any more" }];
  answer.restart();
  const rest = answer.add(wholeOf(job));
  if (!rest || answer.behind)
    return [{ kind: "broken", why: "the job's answer is another one than what was sent of it" }];
  const pieces = splitDelta(rest).map((piece): CallEvent => ({ kind: "delta", ...piece }));
  return [...pieces, { kind: "ended", job }];
}

function wholeOf({ result }: JobRecord): AnswerDelta {
  const none = { text: "", thinking: "", toolCalls: [] };
  if (result?.type === "generate") return { ...none, text: result.response, thinking: result.thinking ?? "" };
  if (result?.type !== "chat") return none;
  const { content, thinking = "", tool_calls = [] } = result.message;
  return { text: content, thinking, toolCalls: tool_calls };
}

function parseDelta({ data }: LogEntry): AnswerDelta {
  const {
    text = "",
    thinking = "",
    tool_calls = [],
  } = JSON.parse(data) as {
    text?: string;
    thinking?: string;
    tool_calls?: unknown[];
  };
  return { text, thinking, toolCalls: tool_calls };
}
