import { UnrecoverableError } from "bullmq";
import { openErrandWorker } from "../consumer/open-errand-worker.ts";
import { closeRedis } from "../redis/open-redis.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { batchChannel } from "./batch-keys.ts";
import { batchIdSchema } from "./batch-record.ts";

/** The queue of batches to be run: a job for each that is not over, with its id. */
export const batchQueueName = "{batches}";

/** Asks for a batch to be run. Twice is once. */
export async function enqueueBatch(space: QueueSpace, id: string): Promise<void> {
  // Without a limit the job would keep the stack of every time it broke off.
  const backoff = { type: "fixed", delay: 1_000 };
  const options = { jobId: id, attempts: 1_000_000, backoff, stackTraceLimit: 1 };
  const ended = { removeOnComplete: true, removeOnFail: true };
  await space.queue(batchQueueName).add("run", {}, { ...options, ...ended });
}

export type BatchConsumerOptions = {
  readonly name: string;
  /** Batches at a time. */ readonly concurrency: number;
  /** A batch whose runner is silent this long is given to another one. Milliseconds. */
  readonly lockMs: number;
  readonly stalledCheckMs: number;
  /** Runs it to its end, or throws: then it comes again. Ends soon once the signal aborts. */
  readonly handle: (id: string, signal: AbortSignal) => Promise<void>;
  readonly on: { failed(id: string, error: Error): void; error(error: Error): void };
};

// A batch goes on where it was, so that it may lose its runner any number of times.
const maxStalledCount = 1_000_000;
const closeWithinMs = 5_000;

/** Runs batches. Disposing hands back those that run, to be gone on with elsewhere. */
export function openBatchConsumer(space: QueueSpace, options: BatchConsumerOptions): AsyncDisposable {
  const { name, concurrency, lockMs, stalledCheckMs, on } = options;
  return openErrandWorker(space, {
    queueName: batchQueueName,
    name,
    concurrency,
    lockMs,
    stalledCheckMs,
    maxStalledCount,
    closeWithinMs,
    async run(job, signal) {
      const id = batchIdSchema.safeParse(job.id).data;
      if (id === undefined) throw new UnrecoverableError("this is not the id of a batch");
      await options.handle(id, signal);
    },
    on: { failed: (job, error) => on.failed(job?.id ?? "unknown", error), error: on.error },
  });
}

/** Calls `onChange` when somebody wants something of a batch. Only a hint: look from time to time as well. */
export async function watchBatches(
  space: QueueSpace,
  onChange: (id: string) => void,
): Promise<AsyncDisposable> {
  const subscriber = space.client.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
  // The connection it was copied from reports the same faults.
  subscriber.on("error", () => undefined);
  subscriber.on("message", (_channel: string, id: string) => onChange(id));
  await subscriber.subscribe(batchChannel(space));
  return { [Symbol.asyncDispose]: () => closeRedis(subscriber) };
}
