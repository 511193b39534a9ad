import { type Job, UnrecoverableError, WaitingError, Worker } from "bullmq";
import type { QueueSpace } from "../queues/queue-space.ts";
import { closeWorker } from "../redis/close-worker.ts";

/** How the jobs of a queue are worked off that go on where they were, whoever has them. */
export type ErrandOptions<T> = {
  readonly queueName: string;
  /** Name of the worker. */ readonly name: string;
  readonly concurrency: number;
  /** A job whose worker is silent this long is given to another one. Milliseconds. */
  readonly lockMs: number;
  readonly stalledCheckMs: number;
  /** How often one job may lose its worker. */ readonly maxStalledCount: number;
  readonly closeWithinMs: number;
  /** Ends soon once the signal aborts: the lock is gone, or the worker is disposed. */
  readonly run: (job: Job, signal: AbortSignal) => Promise<T>;
  readonly on: {
    readonly failed?: (job: Job | undefined, error: Error) => void;
    readonly error: (error: Error) => void;
  };
};

/** Works a queue of errands off. Disposing hands those that run back, to be gone on with elsewhere. */
export function openErrandWorker<T>(space: QueueSpace, options: ErrandOptions<T>): AsyncDisposable {
  const stopping = new AbortController();
  const running = new Map<string, AbortController>();

  const process = async (job: Job, token = ""): Promise<T> => {
    const id = String(job.id);
    const lost = new AbortController();
    // Taken again by the same process: the lock of the one before is gone, and nobody has told it yet.
    running.get(id)?.abort();
    running.set(id, lost);
    try {
      return await options.run(job, AbortSignal.any([stopping.signal, lost.signal]));
    } catch (error) {
      if (!stopping.signal.aborted || error instanceof UnrecoverableError) throw error;
      await job.moveToWait(token);
      throw new WaitingError();
    } finally {
      if (running.get(id) === lost) running.delete(id);
    }
  };

  const worker = new Worker(options.queueName, process, {
    connection: space.client,
    prefix: space.prefix,
    name: options.name,
    concurrency: options.concurrency,
    lockDuration: options.lockMs,
    stalledInterval: options.stalledCheckMs,
    maxStalledCount: options.maxStalledCount,
  });
  worker.on("error", options.on.error);
  worker.on("lockRenewalFailed", (ids) => {
    for (const id of ids) running.get(id)?.abort();
  });
  worker.on("failed", (job, error) => options.on.failed?.(job, error));

  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await closeWorker(worker, options.closeWithinMs);
    },
  };
}
