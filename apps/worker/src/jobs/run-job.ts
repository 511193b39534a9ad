import {
  type Affinity,
  affinityOf,
  inferenceJobSchema,
  type InferenceJob,
  type InferenceResult,
} from "@forebay/queue-contracts";
import { type Delivery, internalFailure, LockLostError, type Outcome } from "@forebay/queue-bullmq";
import type { BackendPool, Slot } from "../backends/backend-pool.ts";
import type { WorkerEvents } from "../events.ts";
import { classifyFailure } from "../failures/classify-failure.ts";
import { decideOutcome } from "../failures/decide-outcome.ts";
import { CallFailedError } from "../ollama/call-failure.ts";
import { callOllama } from "../ollama/call-ollama.ts";
import { addUsage } from "./add-usage.ts";
import { type CallClock, startCallClock } from "./call-clock.ts";
import { callChecked } from "./call-checked.ts";
import type { EndedStart } from "./ended-start.ts";
import { decideFallback } from "./decide-fallback.ts";
import { createProgressReporter } from "./progress-reporter.ts";
import { startJobTimer } from "./job-timer.ts";
import { refuseStart, remainingMs, stoppedOutcome } from "./refuse-start.ts";
import { startsWithModel } from "./starts-with-model.ts";
import { steadySeed } from "./steady-seed.ts";
import { createTokenRelay } from "./token-relay.ts";
import { varyRequest } from "./vary-request.ts";

export type JobRunner = {
  readonly pool: BackendPool;
  readonly events: WorkerEvents;
  readonly firstByteTimeoutMs: number;
  readonly tokenTimeoutMs: number;
  /** The queue of a model's jobs with such options. */
  readonly queueOf: (affinity: Affinity) => Promise<string>;
  /** Called when a call changed what the hosts can take, before the job goes back to its queue. */
  readonly onBackendsChanged: () => void;
};

/**
 * The life of one start of a job: parse → take over a kept answer → refuse what is too late → wait for a slot
 * → call, writing its log → check the answer's form → judge.
 * Never throws: what goes wrong becomes an outcome.
 */
export async function runJob(runner: JobRunner, delivery: Delivery): Promise<EndedStart> {
  const parsed = inferenceJobSchema.safeParse(delivery.payload);
  if (!parsed.success) return unparsable(runner, delivery);
  const job = parsed.data;
  runner.events.jobStarted(job, delivery);
  const ended = await fallBack(runner, delivery, job, await attemptJob(runner, delivery, job));
  runner.events.jobEnded(job, delivery, ended);
  return ended;
}

async function attemptJob(runner: JobRunner, delivery: Delivery, job: InferenceJob): Promise<EndedStart> {
  // The worker that made this answer died before it could say so.
  if (delivery.kept) return { outcome: { kind: "completed", result: delivery.kept }, gpuMs: 0 };
  const refused = refuseStart(job, delivery);
  if (refused) return { outcome: refused, gpuMs: 0 };

  const timer = startJobTimer(remainingMs(job, delivery));
  const signal = AbortSignal.any([delivery.signal, timer.signal]);
  try {
    const model = affinityOf(job).model;
    const slot = await runner.pool.acquire(model, delivery.earlierStarts.at(-1)?.backend, signal);
    if (slot) return await occupySlot(runner, { delivery, job, model, slot, signal });
    runner.onBackendsChanged();
    return { outcome: stoppedOutcome(signal.reason), gpuMs: 0 };
  } finally {
    timer.stop();
  }
}

/** A job that failed for good for a reason of its model's goes on with the next one it names. */
async function fallBack(
  runner: JobRunner,
  delivery: Delivery,
  job: InferenceJob,
  ended: EndedStart,
): Promise<EndedStart> {
  const next = decideFallback(job, ended.outcome, delivery);
  if (!next || !("failure" in ended.outcome) || !ended.outcome.failure) return ended;
  const { failure } = ended.outcome;
  try {
    const queueName = await runner.queueOf(affinityOf({ model: next.model, options: next.request.options }));
    return { ...ended, outcome: { kind: "moved", failure, job: next, queueName } };
  } catch (error) {
    runner.events.jobBroke(delivery.id, error);
    return ended;
  }
}

type Call = { delivery: Delivery; job: InferenceJob; model: string; slot: Slot; signal: AbortSignal };

async function occupySlot(runner: JobRunner, call: Call): Promise<EndedStart> {
  const clock = startCallClock();
  try {
    const outcome = await callBackend(runner, call, clock);
    call.slot.backend.recordSuccess(call.model);
    return { outcome, ...clock.read() };
  } catch (error) {
    return { outcome: judge(runner, call, error), ...clock.read() };
  } finally {
    call.slot.release();
  }
}

async function callBackend(runner: JobRunner, call: Call, clock: CallClock): Promise<Outcome> {
  const { delivery, job, signal } = call;
  const progress = createProgressReporter(delivery);
  const relay = createTokenRelay(delivery);
  const { name, client } = call.slot.backend;
  const callOnce = (request: InferenceJob): Promise<InferenceResult> =>
    callOllama(client, request, {
      backend: name,
      firstByteTimeoutMs: runner.firstByteTimeoutMs,
      tokenTimeoutMs: runner.tokenTimeoutMs,
      signal,
      onDelta(delta, tokens) {
        clock.token();
        if (job.stream) relay.push(delta);
        progress.report(tokens);
      },
    });
  const seeded = steadySeed(delivery.id, job);
  const called = callChecked(
    varyRequest(seeded, startsWithModel(delivery.earlierStarts)),
    callOnce,
    relay.startOver,
  );
  // Beside the call, not before it: the record is for people, and the GPU need not wait for it.
  const [answer, record] = await Promise.allSettled([called, recordStart(call, name)]);
  await progress.settled();
  // Only a lost lock undoes an answer; a Redis that refused the note may take the answer itself.
  if (record.status === "rejected" && record.reason instanceof LockLostError) throw record.reason;
  if (answer.status === "rejected") {
    // Before the end of this start: its tokens must not stand behind that in the log.
    await relay.close();
    throw answer.reason;
  }
  const { check } = answer.value;
  if (check !== undefined) runner.events.answerChecked(job, delivery, check);
  if ("failure" in answer.value) {
    await relay.close();
    return { kind: "discard", failure: answer.value.failure };
  }
  // Before the result: once that is seen, the log is whole.
  await relay.flush();
  const gpu_ms = delivery.earlierStarts.reduce((sum, start) => sum + (start.gpu_ms ?? 0), 0);
  return { kind: "completed", result: addUsage(answer.value.result, { gpu_ms }) };
}

/** Which backend works on it, and until when: should this worker die, somebody else watches the clock. */
async function recordStart({ delivery, job }: Call, backend: string): Promise<void> {
  const left = remainingMs(job, delivery);
  const watched =
    left === undefined ? undefined : delivery.recordDeadline(delivery.startedAt.getTime() + left);
  await Promise.all([delivery.recordBackend(backend), watched]);
}

function judge(runner: JobRunner, call: Call, error: unknown): Outcome {
  const { delivery, signal } = call;
  if (signal.aborted) return stoppedOutcome(signal.reason);
  // The consumer finds the lock gone as well, and writes nothing.
  if (error instanceof LockLostError) return { kind: "interrupted" };
  if (!(error instanceof CallFailedError)) {
    runner.events.jobBroke(delivery.id, error);
    return internalFailure();
  }
  const classified = classifyFailure(error.failure);
  const { backend } = call.slot;
  backend.recordFailure(call.model, classified.breaker, Date.now());
  if (classified.throttle) backend.throttle(Date.now());
  runner.events.callFailed(call.job, delivery, backend.name, classified, error.failure.kind);
  runner.onBackendsChanged();
  const outcome = decideOutcome(classified, startsWithModel(delivery.earlierStarts), Math.random());
  // Nobody can serve the model now: the queue is paused, and the job keeps its place at the front.
  if (outcome.kind === "throttled" && runner.pool.capacity(call.model) === 0) {
    return { kind: "interrupted", failure: outcome.failure };
  }
  // Another host can take it at once.
  if (outcome.kind === "throttled" && classified.breaker === "down") return { ...outcome, delayMs: 1 };
  return outcome;
}

function unparsable(runner: JobRunner, delivery: Delivery): EndedStart {
  runner.events.payloadRefused(delivery.id);
  const failure = {
    code: "invalid_payload" as const,
    message: "the payload does not parse as an inference job",
  };
  return { outcome: { kind: "discard", failure }, gpuMs: 0 };
}
