import { backoffMs, type DeliveryPolicy, type InferenceResult } from "@forebay/queue-contracts";
import type { Job } from "bullmq";
import { type AbortReason, type Delivery, openDelivery } from "../consumer/delivery.ts";
import { LockLostError } from "../consumer/fenced-record.ts";
import type { Outcome } from "../consumer/outcome.ts";
import { recordFinal } from "../consumer/record-final.ts";
import { AttemptFailedError, signalOutcome } from "../consumer/signal-outcome.ts";
import type { StopReason } from "../control/request-stop.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { wakeConsumers } from "../queues/wake-consumers.ts";
import { createCostLearner } from "../scheduling/model-costs.ts";
import { liveChannel } from "../token-log/live-channel.ts";
import type { TokenData } from "../token-log/log-entry.ts";
import { IdleWorker } from "./idle-worker.ts";
import { createTurnover } from "./turnover.ts";

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

/** How a start ended. */
export type Handled = {
  readonly outcome: Outcome;
  /** How long a slot was held. */ readonly gpuMs: number;
  /** All of a completed answer, if none of it was appended to the log: it is written with the end. */
  readonly unwritten?: TokenData | undefined;
};

/** One queue's jobs, taken one by one: locks, stalled checks and states are BullMQ's own. */
export type QueueWorker = {
  readonly queueName: string;
  /**
   * Takes the next job, if there is one. Rejects when Redis does not answer.
   *
   * @param backend where it will run, for its record
   */
  take(backend: string | undefined): Promise<TakenJob | undefined>;
  /**
   * Runs a job to its end. Never rejects.
   *
   * @param task `handle` does the work and says how it ended, and must not throw; `backend`: where it will run
   * @param fetchNext asked when it has ended whether the queue's next job is wanted, and where that will run
   */
  run(taken: TakenJob, task: Task, fetchNext: () => NextTask | undefined): Promise<TakenJob | undefined>;
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

export type NextTask = Pick<Task, "backend">;

export function openQueueWorker(
  space: QueueSpace,
  queueName: string,
  options: QueueWorkerOptions,
): QueueWorker {
  const running = new Map<string, AbortController>();
  const recording = new Set<Promise<void>>();
  const tasks = new Map<string, Task>();
  const costs = createCostLearner(space, options.on.error);
  const turnover = createTurnover(space, queueName, options.worker);
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
      const by = { worker: options.worker, backend: task.backend, abort };
      const delivery = await openDelivery(space, job, place, by, turnover.opened(job));
      const { outcome, gpuMs, unwritten } = await task.handle(delivery);
      if (abort.signal.reason === ("lock_lost" satisfies AbortReason)) throw new LockLostError(id);
      if (outcome.kind === "completed") {
        // An answer taken over was measured before.
        if (gpuMs > 0) costs.note(job.data, outcome.result);
        turnover.end(token, delivery.describeEnd(outcome.result, gpuMs, unwritten));
        return outcome.result;
      }
      await delivery.recordEnd(outcome, gpuMs);
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
  const worker = new IdleWorker<InferenceResult>(
    queueName,
    process,
    {
      connection: space.client,
      prefix: space.prefix,
      name: options.worker,
      lockDuration: options.lockMs,
      stalledInterval: options.stalledCheckMs,
      maxStalledCount: policy.workerLossesMax,
      removeOnComplete: { age: policy.completedAgeS, count: policy.completedCount },
      removeOnFail: { age: policy.failedAgeS },
      settings: {
        backoffStrategy: (_attempts, _type, error) =>
          error instanceof AttemptFailedError ? error.delayMs : 1,
      },
    },
    turnover.ride,
  );
  worker.on("error", options.on.error);
  worker.on("stalled", () => options.on.stalled(queueName));
  worker.on("lockRenewalFailed", (ids) => {
    for (const id of ids) {
      options.on.lockLost(queueName);
      running.get(id)?.abort("lock_lost" satisfies AbortReason);
    }
  });
  worker.on("failed", (job) => {
    if (!job?.finishedOn) return;
    const written = recordFinal(space, queueName, job).catch(options.on.error);
    recording.add(written);
    void written.finally(() => recording.delete(written));
  });
  void worker.watchLocks().catch(options.on.error);

  return {
    queueName,
    async take(backend) {
      const token = worker.nextToken();
      turnover.expect(token, backend);
      try {
        const job = await worker.take(token);
        return job && { job };
      } finally {
        turnover.forget(token);
      }
    },
    async run({ job }, task, fetchNext) {
      const token = job.token ?? "";
      tasks.set(token, task);
      const wantsNext = (): boolean => {
        const next = fetchNext();
        turnover.expect(token, next?.backend);
        return next !== undefined;
      };
      try {
        const next = await worker.finish(job, wantsNext);
        return next && { job: next };
      } catch (error) {
        options.on.error(error instanceof Error ? error : new Error(String(error)));
        return undefined;
      } finally {
        tasks.delete(token);
        turnover.forget(token);
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
      await worker.close();
      // A consumer has all the time in the world for Redis, a closing one has not.
      if (space.client.status === "ready") await Promise.allSettled([...recording, costs.flush()]);
    },
  };
}
