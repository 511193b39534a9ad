import type { InferenceJob } from "@forebay/queue-contracts";
import type { ChangeEnd, Delivery, ModelChange, Outcome } from "@forebay/queue-bullmq";
import type { Logger, Metrics } from "@forebay/service-runtime";
import type { Backend } from "./backends/backend.ts";
import type { Classification } from "./failures/classification.ts";
import type { AnswerCheck } from "./jobs/call-checked.ts";
import type { EndedStart } from "./jobs/ended-start.ts";
import type { CallFailure } from "./ollama/call-failure.ts";
import { createRateCounter, type RateCounter } from "./rate-counter.ts";
import { createWorkerMetrics } from "./worker-metrics.ts";

/** What happens in a worker, each as one log line and its metrics. Prompts and answers never get here. */
export type WorkerEvents = ReturnType<typeof createWorkerEvents>;

export function createWorkerEvents(logger: Logger, metrics: Metrics) {
  const m = createWorkerMetrics(metrics);
  const finished = new Map<string, RateCounter>();

  return {
    jobStarted(job: InferenceJob, delivery: Delivery) {
      const { type, model, lane } = job;
      // Clocks of producers may be ahead of ours.
      const waitedS = Math.max(0, (Date.now() - delivery.createdAt.getTime()) / 1_000);
      if (delivery.earlierStarts.length === 0) m.queueWait.observe({ type, model, lane }, waitedS);
      const { start } = delivery.forecast;
      if (start) m.etas.inc({ outcome: etaOutcome(start) });
      logger.debug({ job_id: delivery.id, type, model, lane }, "job started");
    },

    jobEnded(job: InferenceJob, delivery: Delivery, ended: EndedStart) {
      const { type, model } = job;
      const { outcome, gpuMs } = ended;
      m.attempts.inc({ model, outcome: outcome.kind });
      const failure = "failure" in outcome ? outcome.failure : undefined;
      if (ended.firstTokenMs !== undefined) {
        m.firstToken.observe({ type, model, outcome: outcome.kind }, ended.firstTokenMs / 1_000);
      }
      const final = finalOutcome(delivery, outcome);
      if (final !== undefined) {
        const seconds = Math.max(0, (Date.now() - delivery.createdAt.getTime()) / 1_000);
        m.finished.inc({ type, model, outcome: final, code: failure?.code ?? "" });
        m.duration.observe({ type, model, outcome: final }, seconds);
        noteFinished(finished, model);
      }
      if (outcome.kind === "completed") {
        const { usage, backend } = outcome.result;
        m.tokens.inc({ model, direction: "in" }, usage.prompt_tokens);
        m.tokens.inc({ model, direction: "out" }, usage.completion_tokens);
        m.gpuSeconds.inc({ model, backend }, gpuMs / 1_000);
        const { costMs } = delivery.forecast;
        if (costMs && gpuMs > 0) m.costRatio.observe({ model }, gpuMs / costMs);
      }
      const line = {
        job_id: delivery.id,
        type,
        model,
        outcome: outcome.kind,
        code: failure?.code,
        gpu_ms: gpuMs,
      };
      if (outcome.kind === "moved") {
        m.fallbacks.inc({ model, to: outcome.job.model, code: outcome.failure.code });
        logger.warn({ ...line, to: outcome.job.model }, "job goes on with another model");
      } else if (final === "failed") logger.warn(line, "job failed");
      else logger.info(line, "job ended");
    },

    answerChecked({ model }: InferenceJob, { id }: Delivery, result: AnswerCheck) {
      m.answersChecked.inc({ model, result });
      if (result === "valid" || result === "unchecked") return;
      logger.info({ job_id: id, model, result }, "answer had not the form that was asked for");
    },
    callFailed(
      job: InferenceJob,
      delivery: Delivery,
      backend: string,
      classified: Classification,
      kind: CallFailure["kind"],
    ) {
      const { code, message } = classified;
      logger.warn({ job_id: delivery.id, model: job.model, backend, code, kind, message }, "call failed");
    },
    payloadRefused(id: string) {
      m.finished.inc({ type: "unknown", model: "unknown", outcome: "failed", code: "invalid_payload" });
      logger.error({ job_id: id, code: "invalid_payload" }, "payload does not parse; job discarded");
    },
    jobBroke(id: string, error: unknown) {
      logger.error({ job_id: id, err: error }, "a fault of our own while running a job");
    },

    backendChanged(backend: Backend, error: unknown) {
      m.backendUp.set({ backend: backend.name }, backend.up ? 1 : 0);
      const line = { backend: backend.name, version: backend.version, models: backend.models.length };
      if (backend.up) logger.info(line, "backend is up");
      else logger.warn({ ...line, err: error }, "backend is down; its jobs wait");
    },
    slotsChanged(backend: Backend, model: string) {
      m.slots.set({ backend: backend.name, model }, backend.slots(model));
      m.slotsUsed.set({ backend: backend.name, model }, backend.busy(model));
    },
    queueOpened: (queue: string, model: string) => logger.info({ queue, model }, "consuming queue"),
    queueClosed: (queue: string) =>
      logger.warn({ queue }, "no backend has the model any more; its jobs wait"),
    loadBegan(backend: Backend, affinity: string) {
      m.loads.inc({ backend: backend.name, model: affinity.split(" ")[0] ?? "" });
      logger.info({ backend: backend.name, affinity }, "loading a model");
    },
    modelChangeBegan: ({ name }: Backend, { call, body }: ModelChange) =>
      logger.info({ backend: name, call, model: modelOf(body) }, "changing the models of a host"),
    modelChangeEnded({ name }: Backend, { call, body }: ModelChange, { status, error }: ChangeEnd) {
      const line = { backend: name, call, model: modelOf(body), status, error };
      if (status === 200) logger.info(line, "models of a host changed");
      else logger.warn(line, "models of a host did not change");
    },
    backendsUnreadable: (error: unknown) =>
      logger.error({ err: error }, "the list of backends cannot be read; it stays as it was"),
    leaseFailed: (error: unknown) => logger.error({ err: error }, "telling the other workers failed"),
    queuePaused: (queue: string) =>
      logger.warn({ queue }, "no backend can serve the queue now; its jobs wait"),
    queueResumed: (queue: string) => logger.info({ queue }, "queue can be served again"),
    jobStalled(model: string) {
      m.stalled.inc({ model });
      logger.warn({ model }, "job taken from a worker that died");
    },
    lockLost(model: string) {
      m.locksLost.inc({ model });
      logger.warn({ model }, "lock lost; call aborted and nothing written");
    },
    consumerFailed: (error: Error) => logger.error({ err: error }, "consumer error"),
    refreshFailed: (error: unknown) => logger.error({ err: error }, "looking at backends and queues failed"),
    redisFailed: (error: Error) => logger.error({ err: error.message }, "redis connection"),

    /** Jobs ended per second by model, over the last minute. */
    finishedPerS(): Record<string, number> {
      const now = Date.now();
      const rates = [...finished].map(([model, counter]) => [model, counter.perS(now)] as const);
      return Object.fromEntries(rates.filter(([, rate]) => rate > 0));
    },
  };
}

/** Whatever field of the call names it. */
const modelOf = ({ model, name, source }: ModelChange["body"]): unknown => model ?? name ?? source;

/** `completed` or `failed` when the job ends with this start, undefined when it comes back. */
function finalOutcome(delivery: Delivery, outcome: Outcome): "completed" | "failed" | undefined {
  if (outcome.kind === "completed") return "completed";
  if (outcome.kind === "discard") return "failed";
  return outcome.kind === "retry" && delivery.attemptsMade + 1 >= delivery.attemptsMax ? "failed" : undefined;
}

type ForetoldTruth = NonNullable<Delivery["forecast"]["start"]>;

/** Views round to tenths of a second, so nobody was told less than that. */
const etaGrainMs = 100;

function etaOutcome({ lowMs, highMs, tookMs }: ForetoldTruth): "in_range" | "early" | "late" {
  if (tookMs > highMs + etaGrainMs) return "late";
  return tookMs < lowMs - etaGrainMs ? "early" : "in_range";
}

function noteFinished(finished: Map<string, RateCounter>, model: string): void {
  const counter = finished.get(model) ?? createRateCounter();
  counter.note(Date.now());
  finished.set(model, counter);
}
