import { backoffMs, type DeliveryPolicy, type InferenceResult } from "@forebay/queue-contracts";
import type { Job } from "bullmq";
import { type AbortReason, type Delivery, openDelivery } from "../consumer/delivery.ts";
import { LockLostError } from "../consumer/fenced-record.ts";
import type { Outcome } from "../consumer/outcome.ts";
import { recordFinal } from "../consumer/record-final.ts";
import { AttemptFailedError, signalOutcome } from "../consumer/signal-outcome.ts";
import type { StopReason } from "../control/request-stop.ts";
import type { Redis } from "../redis/open-redis.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { wakeConsumers } from "../queues/wake-consumers.ts";
import { liveChannel } from "../token-log/live-channel.ts";
import { IdleWorker } from "./idle-worker.ts";

/** What is the same for all queues of a worker. */
export type QueueWorkerOptions = {
  /** Who works, for the job's record: unique per process. */ readonly worker: string;
  readonly policy: DeliveryPolicy;
  /** A job whose worker is silent this long is given to another one. Milliseconds. */
  readonly lockMs: number;
  /** How often is looked for such jobs. Milliseconds. */ readonly stalledCheckMs: number;
  readonly on: {
    stalled(queueName: string): void;
    lockLost(queueName: string): void;
    error(error: Error): void;
  };
};

/** How a start ended; `gpuMs`: time a slot was held. */
export type Handled = { readonly outcome: Outcome; readonly gpuMs: number };

/** One queue's jobs, taken one by one: locks, stalled checks and states are BullMQ's own. */
export type QueueWorker = {
  readonly queueName: string;
  /** Takes the next job, if there is one. Rejects when Redis does not answer. */
  take(): Promise<TakenJob | undefined>;
  /**
   * Runs a job to its end. Never rejects.
   *
   * @param task `handle` does the work and says how it ended, and must not throw; `backend`: where it will run
   * @param fetchNext asked when it has ended whether the queue's next job is wanted
   */
  run(taken: TakenJob, task: Task, fetchNext: () => boolean): Promise<TakenJob | undefined>;
  /** Aborts the job's delivery if it is running here; the handler decides what becomes of it. */
  stopJob(id: string, reason: StopReason): boolean;
  /** Aborts all that runs here, to be handed back. */
  interrupt(): void;
  /** Once nothing runs any more. */
  close(): Promise<void>;
};

export type TakenJob = { readonly job: Job };

export type Task = {
  readonly handle: (delivery: Delivery) => Promise<Handled>;
  readonly backend: string | undefined;
};

export function openQueueWorker(
  space: QueueSpace,
  queueName: string,
  options: QueueWorkerOptions,
): QueueWorker {
  const running = new Map<string, AbortController>();
  const recording = new Set<Promise<void>>();
  const tasks = new Map<string, Task>();
  const pipelining = watchPipelining(space.client);
  const { policy } = options;

  const process = async (job: Job, token = ""): Promise<InferenceResult> => {
    const id = String(job.id);
    const task = tasks.get(token);
    if (!task) throw new Error("a job was taken that nobody handles");
    const abort = new AbortController();
    // Taken back from this very worker, which was away for longer than its lock and has not noticed yet.
    running.get(id)?.abort("lock_lost" satisfies AbortReason);
    running.set(id, abort);
    try {
      const key = space.jobKey(queueName, id);
      const place = { id, key, token, queueName, channel: liveChannel(space, id) };
      const delivery = await openDelivery(space, job, place, {
        worker: options.worker,
        backend: task.backend,
        abort,
      });
      const { outcome, gpuMs } = await task.handle(delivery);
      if (abort.signal.reason === ("lock_lost" satisfies AbortReason)) throw new LockLostError(id);
      const recorded = delivery.recordEnd(outcome, gpuMs);
      // A finished answer and its end leave in one write, in this order: who may not write the one finds that he
      // may not say the other.
      if (outcome.kind === "completed" && pipelining.ready) {
        recorded.catch(options.on.error);
        return outcome.result;
      }
      await recorded;
      // A move is another script: Redis may not know the one that records ends yet.
      if (outcome.kind !== "moved") pipelining.ready = true;
      return await signalOutcome(job, token, outcome, {
        backoffMs: () => backoffMs(job.attemptsMade + 1, policy, Math.random()),
        wake: () => wakeConsumers(space, queueName),
      });
    } finally {
      if (running.get(id) === abort) running.delete(id);
    }
  };

  // Opening the queue, once, writes what BullMQ keeps about it: whoever puts jobs directly finds it there.
  space.queue(queueName);
  const worker = new IdleWorker<InferenceResult>(queueName, process, {
    connection: space.client,
    prefix: space.prefix,
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
  worker.on("stalled", () => options.on.stalled(queueName));
  worker.on("lockRenewalFailed", (ids) => {
    for (const id of ids) {
      options.on.lockLost(queueName);
      running.get(id)?.abort("lock_lost" satisfies AbortReason);
    }
  });
  const record = (job: Job): void => {
    const written = recordFinal(space, queueName, job).catch(options.on.error);
    recording.add(written);
    void written.finally(() => recording.delete(written));
  };
  worker.on("completed", record);
  worker.on("failed", (job) => {
    if (job?.finishedOn) record(job);
  });
  void worker.watchLocks().catch(options.on.error);

  return {
    queueName,
    async take() {
      const job = await worker.take();
      return job && { job };
    },
    async run({ job }, task, fetchNext) {
      const token = job.token ?? "";
      tasks.set(token, task);
      try {
        const next = await worker.finish(job, fetchNext);
        return next && { job: next };
      } catch (error) {
        options.on.error(error instanceof Error ? error : new Error(String(error)));
        return undefined;
      } finally {
        tasks.delete(token);
      }
    },
    stopJob(id, reason) {
      const abort = running.get(id);
      abort?.abort(reason);
      return abort !== undefined;
    },
    interrupt() {
      for (const abort of running.values()) abort.abort("shutdown" satisfies AbortReason);
    },
    async close() {
      pipelining.stop();
      await worker.close();
      // A consumer has all the time in the world for Redis, a closing one has not.
      if (space.client.status === "ready") await Promise.allSettled(recording);
    },
  };
}

/**
 * Whether scripts may be sent without waiting for the one before: a Redis that came back knows no scripts, and
 * one that it must be sent in full would arrive after the next.
 */
function watchPipelining(client: Redis): { ready: boolean; stop(): void } {
  const lost = (): void => {
    state.ready = false;
  };
  client.on("close", lost);
  const state = { ready: false, stop: () => void client.off("close", lost) };
  return state;
}
