import { cancelJob, type JobRecord, type LogEntry, readJob } from "@forebay/queue-bullmq";
import type { InferenceJob } from "@forebay/queue-contracts";
import type { Caller } from "../auth/caller.ts";
import { type FeedSink, openJobFeed } from "../routes/jobs/events/job-feed.ts";
import type { JobDeps } from "../routes/jobs/job-deps.ts";
import { acceptJob, placeJob } from "../routes/jobs/place-job.ts";
import { type AnswerDelta, createAnswerContinuation } from "./continue-answer.ts";

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
  /** To be read once. Ends after `ended` or `broken`, or when the signal aborts. */
  events(signal: AbortSignal): AsyncGenerator<CallEvent>;
  /** Ends the job unless it has ended. */
  cancel(): Promise<void>;
};

/** How far ahead of a slow client a call may run. */
const eventsAheadMax = 1_000;

/**
 * Puts a job on the queue for a caller who waits for it. Throws Problem.
 *
 * @param idleMs an `idle` event comes when nothing else came for so long
 */
export async function openCall(
  deps: JobDeps,
  caller: Caller,
  job: InferenceJob,
  options: { attempts: number; idleMs: number },
): Promise<Call> {
  const placed = await placeJob(deps, { caller, job, attempts: options.attempts, delayMs: 0 });
  const view = await acceptJob(deps, placed);
  const { id, queueName } = placed;
  deps.events.jobAccepted(id, job, caller);
  return {
    id,
    createdAt: new Date(view.created_at),
    events: (signal) => readEvents(deps, { id, queueName }, options.idleMs, signal),
    async cancel() {
      await cancelJob(deps.space, { id, queueName, tenant: caller.tenant });
    },
  };
}

async function* readEvents(
  deps: JobDeps,
  place: { id: string; queueName: string },
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

function sinkOf(
  deps: JobDeps,
  place: { id: string },
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
    if (entry.event !== "token") return;
    const fresh = answer.add(parseDelta(entry));
    if (!fresh) breakOff("the generation had to begin anew and says something else now");
    else if (fresh.text !== "" || fresh.thinking !== "" || fresh.toolCalls.length > 0) {
      push({ kind: "delta", ...fresh });
    }
  };
  return {
    accepted: () => undefined,
    entries: (entries) => entries.forEach(take),
    flowing: pace.flowing,
    async drained() {
      await pace.drained();
      return true;
    },
    ended: (job) => !broken && push({ kind: "ended", job }),
    // Without its log a job still has its end: whoever needs only that gets it.
    lost: () => void endedWithoutLog(deps, place.id).then(push),
    stalled: () => breakOff("the client does not read"),
    broken: () => breakOff("the queue cannot be read"),
  };
}

async function endedWithoutLog(deps: JobDeps, id: string): Promise<CallEvent> {
  const job = await readJob(deps.space, deps.directory, id).catch(() => undefined);
  return job?.finishedAt
    ? { kind: "ended", job }
    : { kind: "broken", why: "the job's events are not kept any more" };
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
