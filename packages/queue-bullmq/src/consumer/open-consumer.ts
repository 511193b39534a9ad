import { backoffMs, type DeliveryPolicy, type InferenceResult } from "@forebay/queue-contracts";
import { type Job, Worker } from "bullmq";
import type { StopReason } from "../control/request-stop.ts";
import { type AbortReason, type Delivery, openDelivery } from "./delivery.ts";
import { LockLostError } from "./fenced-record.ts";
import type { Outcome } from "./outcome.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { recordFinal } from "./record-final.ts";
import { liveChannel } from "../token-log/live-channel.ts";
import { AttemptFailedError, signalOutcome } from "./signal-outcome.ts";
import { wakeConsumers } from "../queues/wake-consumers.ts";

export type ConsumerOptions = {
  readonly queueName: string;
  readonly concurrency: number;
  /** Who works, for the job's record: unique per process. */
  readonly worker: string;
  readonly policy: DeliveryPolicy;
  /** A job whose worker is silent this long is given to another one. Milliseconds. */
  readonly lockMs: number;
  /** How often is looked for such jobs. Milliseconds. */
  readonly stalledCheckMs: number;
  /** Does the work and says how it ended; must not throw. `gpuMs`: time a slot was held. */
  readonly handle: (delivery: Delivery) => Promise<{ outcome: Outcome; gpuMs: number }>;
  readonly on: {
    stalled(): void;
    lockLost(): void;
    error(error: Error): void;
  };
};

export type Consumer = {
  readonly queueName: string;
  setConcurrency(concurrency: number): void;
  /** Takes no more jobs until `resume`; running ones go on. */
  pause(): void;
  resume(): void;
  /** Aborts the job's delivery if it is running here; the handler decides what becomes of it. */
  stopJob(id: string, reason: StopReason): boolean;
  /** Takes no more, waits for the running ones until `deadline`, then aborts those and hands them back. */
  close(deadline: AbortSignal): Promise<void>;
};

/** One queue's consumer on BullMQ's worker: locks, stalled checks and states are BullMQ's own. */
export function openConsumer(space: QueueSpace, options: ConsumerOptions): Consumer {
  const running = new Map<string, AbortController>();
  const recording = new Set<Promise<void>>();
  const { policy } = options;

  const process = async (job: Job, token = ""): Promise<InferenceResult> => {
    const id = String(job.id);
    const abort = new AbortController();
    // Taken back from this very worker, which was away for longer than its lock and has not noticed yet.
    running.get(id)?.abort("lock_lost" satisfies AbortReason);
    running.set(id, abort);
    try {
      const key = space.jobKey(options.queueName, id);
      const { queueName } = options;
      const place = { id, key, token, queueName, channel: liveChannel(space, id) };
      const delivery = await openDelivery(space, job, place, { worker: options.worker, abort });
      const { outcome, gpuMs } = await options.handle(delivery);
      if (abort.signal.reason === ("lock_lost" satisfies AbortReason)) throw new LockLostError(id);
      await delivery.recordEnd(outcome, gpuMs);
      return await signalOutcome(job, token, outcome, {
        backoffMs: () => backoffMs(job.attemptsMade + 1, policy, Math.random()),
        wake: () => wakeConsumers(space, options.queueName),
      });
    } finally {
      if (running.get(id) === abort) running.delete(id);
    }
  };

  const worker = new Worker(options.queueName, process, {
    connection: space.client,
    prefix: space.prefix,
    concurrency: options.concurrency,
    name: options.worker,
    lockDuration: options.lockMs,
    stalledInterval: options.stalledCheckMs,
    maxStalledCount: policy.workerLossesMax,
    removeOnComplete: { age: policy.completedAgeS, count: policy.completedCount },
    removeOnFail: { age: policy.failedAgeS },
    settings: {
      backoffStrategy: (_attempts, _type, error) => (error instanceof AttemptFailedError ? error.delayMs : 1),
    },
  });
  worker.on("error", options.on.error);
  worker.on("stalled", () => options.on.stalled());
  worker.on("lockRenewalFailed", (ids) => {
    for (const id of ids) {
      options.on.lockLost();
      running.get(id)?.abort("lock_lost" satisfies AbortReason);
    }
  });

  const record = (job: Job): void => {
    const written = recordFinal(space, options.queueName, job).catch(options.on.error);
    recording.add(written);
    void written.finally(() => recording.delete(written));
  };
  worker.on("completed", record);
  worker.on("failed", (job) => {
    if (job?.finishedOn) record(job);
  });

  return {
    queueName: options.queueName,
    setConcurrency(concurrency) {
      worker.concurrency = concurrency;
    },
    pause() {
      void worker.pause(true);
    },
    resume() {
      void worker.resume();
    },
    stopJob(id, reason) {
      const abort = running.get(id);
      abort?.abort(reason);
      return abort !== undefined;
    },
    async close(deadline) {
      const interrupt = (): void => {
        for (const abort of running.values()) abort.abort("shutdown" satisfies AbortReason);
      };
      if (deadline.aborted) interrupt();
      else deadline.addEventListener("abort", interrupt, { once: true });
      await worker.close();
      deadline.removeEventListener("abort", interrupt);
      // A consumer has all the time in the world for Redis, a closing one has not.
      if (space.client.status !== "ready") return;
      // Its place is free, and nobody else was told.
      await Promise.allSettled([...recording, wakeConsumers(space, options.queueName)]);
    },
  };
}

/** What a handler answers when its own code broke: the job is tried again, the cause goes to the log. */
export function internalFailure(): Outcome {
  return {
    kind: "retry",
    failure: { code: "internal_error", message: "a fault in Forebay itself; see the worker's log" },
  };
}
