import {
  type Affinity,
  affinityOf,
  inferenceJobSchema,
  type InferenceJob,
  type InferenceResult,
} from "@forebay/queue-contracts";
import { type Delivery, internalFailure, LockLostError, type Outcome } from "@forebay/queue-bullmq";
import type { Fleet } from "../backends/fleet.ts";
import type { Feeder, Seat } from "../dispatch/feeder.ts";
import type { WorkerEvents } from "../events.ts";
import type { Classification } from "../failures/classification.ts";
import { classifyFailure } from "../failures/classify-failure.ts";
import { decideOutcome } from "../failures/decide-outcome.ts";
import { CallFailedError } from "../ollama/call-failure.ts";
import { callOllama } from "../ollama/call-ollama.ts";
import { addUsage } from "./add-usage.ts";
import { type CallClock, startCallClock } from "./call-clock.ts";
import { callChecked } from "./call-checked.ts";
import type { EndedStart } from "./ended-start.ts";
import { decideDenial } from "./decide-denial.ts";
import { decideFallback } from "./decide-fallback.ts";
import { createProgressReporter } from "./progress-reporter.ts";
import { startJobTimer } from "./job-timer.ts";
import { refuseStart, remainingMs, stoppedOutcome } from "./refuse-start.ts";
import { startsWithModel } from "./starts-with-model.ts";
import { steadySeed } from "./steady-seed.ts";
import { createTokenRelay } from "./token-relay.ts";
import { varyRequest } from "./vary-request.ts";

export type JobRunner = {
  readonly fleet: Fleet;
  readonly feeder: Feeder;
  readonly events: WorkerEvents;
  readonly firstByteTimeoutMs: number;
  readonly tokenTimeoutMs: number;
  /** How long a model stays in memory after this call, in seconds; undefined: as Ollama has it. */
  readonly keepAliveS: (seat: Seat) => number | undefined;
  /** The queue of a model's jobs with such options. */
  readonly queueOf: (affinity: Affinity) => Promise<string>;
  /** Called when a call changed what the hosts can take, before the job goes back to its queue. */
  readonly onBackendsChanged: () => void;
  /** The first byte of a call came that had to load its model. */ readonly onLoaded: (seat: Seat) => void;
};

/**
 * The life of one start of a job: parse → take over a kept answer → refuse what is too late → call, writing its
 * log → check the answer's form → judge. Never throws: what goes wrong becomes an outcome.
 *
 * @param held the slot it was taken for; it is exchanged for one of another host where the job failed on this one
 */
export async function runJob(runner: JobRunner, delivery: Delivery, held: HeldSeat): Promise<EndedStart> {
  const parsed = inferenceJobSchema.safeParse(delivery.payload);
  if (!parsed.success) return unparsable(runner, delivery);
  const job = parsed.data;
  runner.events.jobStarted(job, delivery);
  const ended = await fallBack(runner, delivery, job, await attemptJob(runner, delivery, job, held));
  runner.events.jobEnded(job, delivery, ended);
  return ended;
}

async function attemptJob(
  runner: JobRunner,
  delivery: Delivery,
  job: InferenceJob,
  held: HeldSeat,
): Promise<EndedStart> {
  // The worker that made this answer died before it could say so.
  if (delivery.kept) return { outcome: { kind: "completed", result: delivery.kept }, gpuMs: 0 };
  const refused = refuseStart(job, delivery);
  if (refused) return { outcome: refused, gpuMs: 0 };

  const timer = startJobTimer(remainingMs(job, delivery));
  const signal = AbortSignal.any([delivery.signal, timer.signal]);
  try {
    const given = held.seat;
    held.seat = await runner.feeder.elsewhere(held.seat, delivery.earlierStarts.at(-1)?.backend);
    return await occupySlot(runner, { delivery, job, seat: held.seat, moved: held.seat !== given, signal });
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

/** The slot a job holds; it may change to one of another host before the call. */
export type HeldSeat = { seat: Seat };

/** `moved`: it runs on another host than the record of this start says. */
type Call = { delivery: Delivery; job: InferenceJob; seat: Seat; moved: boolean; signal: AbortSignal };

async function occupySlot(runner: JobRunner, call: Call): Promise<EndedStart> {
  const clock = startCallClock();
  try {
    const outcome = await callBackend(runner, call, clock);
    call.seat.backend.recordSuccess(call.seat.resident.model);
    return { outcome, ...clock.read() };
  } catch (error) {
    return { outcome: judge(runner, call, error), ...clock.read() };
  } finally {
    runner.feeder.recordCall(call.seat.resident.model, clock.read().gpuMs);
  }
}

async function callBackend(runner: JobRunner, call: Call, clock: CallClock): Promise<Outcome> {
  const { delivery, job, signal } = call;
  const progress = createProgressReporter(delivery, { tellReaders: !job.stream });
  const relay = createTokenRelay(delivery);
  const { backend } = call.seat;
  const firstByte = once(() => {
    if (backend.residency.loaded(call.seat.resident)) runner.onLoaded(call.seat);
  });
  const callOnce = async (request: InferenceJob): Promise<InferenceResult> => {
    const begun = backend.busy(call.seat.resident.model);
    const result = await callOllama(backend.client, request, {
      backend: backend.name,
      keepAliveS: runner.keepAliveS(call.seat),
      firstByteTimeoutMs: runner.firstByteTimeoutMs,
      tokenTimeoutMs: runner.tokenTimeoutMs,
      signal,
      onDelta(delta, tokens) {
        firstByte();
        clock.token();
        if (job.stream) relay.push(delta, tokens);
        progress.report(tokens);
      },
    });
    firstByte();
    learnFrom(call.seat, result, Math.min(begun, backend.busy(call.seat.resident.model)));
    return result;
  };
  const seeded = steadySeed(delivery.id, job);
  const called = callChecked(
    varyRequest(seeded, startsWithModel(delivery.earlierStarts)),
    callOnce,
    relay.startOver,
  );
  // Beside the call, not before it: the record is for people, and the GPU need not wait for it.
  const [answer, record] = await Promise.allSettled([called, recordStart(call)]);
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

/** What a whole answer tells about its host: how long it loaded, and how fast it is with so many calls. */
function learnFrom({ backend, resident, cold }: Seat, result: InferenceResult, running: number): void {
  const { model } = resident;
  if (cold) {
    backend.recordLoad(model, result.load_duration_ms);
    return;
  }
  if (result.type === "embed" || result.eval_duration_ms <= 0) return;
  const { total_duration_ms, load_duration_ms, prompt_eval_duration_ms, eval_duration_ms } = result;
  // What is in none of its parts it spent waiting for a slot.
  const waited = total_duration_ms - load_duration_ms - prompt_eval_duration_ms - eval_duration_ms;
  const tokensPerS = (result.eval_count / eval_duration_ms) * 1_000;
  backend.recordSpeed(model, { running, tokensPerS, waitedShare: waited / total_duration_ms });
}

const once = (work: () => void): (() => void) => {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
};

/** Which backend works on it, and until when: should this worker die, somebody else watches the clock. */
async function recordStart({ delivery, job, seat, moved }: Call): Promise<void> {
  const left = remainingMs(job, delivery);
  const watched =
    left === undefined ? undefined : delivery.recordDeadline(delivery.startedAt.getTime() + left);
  await Promise.all([moved ? delivery.recordBackend(seat.backend.name) : undefined, watched]);
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
  const { backend, resident } = call.seat;
  const { model } = resident;
  const classified = classifyOn(call, error, runner.fleet);
  backend.recordFailure(model, classified.breaker, Date.now());
  if (classified.throttle) backend.throttle(Date.now());
  runner.events.callFailed(call.job, delivery, backend.name, classified, error.failure.kind);
  runner.onBackendsChanged();
  const outcome = decideOutcome(classified, startsWithModel(delivery.earlierStarts), Math.random());
  // Nobody can serve the model now: the queue is paused, and the job keeps its place at the front.
  if (outcome.kind === "throttled" && !runner.fleet.serves(model, Date.now())) {
    return { kind: "interrupted", failure: outcome.failure };
  }
  // Another host can take it at once.
  const now = Date.now();
  const another = runner.fleet.backends.some(
    (each) => each !== backend && !each.draining && each.serves(model, now),
  );
  return outcome.kind === "throttled" && another ? { ...outcome, delayMs: 1 } : outcome;
}

/** A host that lists a model and does not know it when it is called is not asked again before it lists it anew. */
function classifyOn({ seat, job, delivery }: Call, error: CallFailedError, fleet: Fleet): Classification {
  const { backend, resident } = seat;
  const classified = classifyFailure(error.failure);
  if (classified.code !== "model_not_found" || !backend.has(resident.model)) return classified;
  backend.lose(resident.model);
  const listing = fleet.backends.filter((each) => each.has(resident.model));
  return {
    ...classified,
    ...decideDenial({
      by: backend.name,
      others: listing.map(({ name }) => name).filter((name) => name !== backend.name),
      earlier: startsWithModel(delivery.earlierStarts),
      hasFallback: job.fallbacks !== undefined,
    }),
  };
}

function unparsable(runner: JobRunner, delivery: Delivery): EndedStart {
  runner.events.payloadRefused(delivery.id);
  const failure = {
    code: "invalid_payload" as const,
    message: "the payload does not parse as an inference job",
  };
  return { outcome: { kind: "discard", failure }, gpuMs: 0 };
}
