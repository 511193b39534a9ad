import { Worker } from "bullmq";
import type { QueueSpace } from "../queues/queue-space.ts";
import { closeWorker } from "../redis/close-worker.ts";
import { scheduleQueueName } from "./schedule.ts";

/** A tick takes milliseconds; only an absent Redis takes longer. */
const closeWithinMs = 3_000;

/** A schedule is due, or was. */
export type Tick = { readonly scheduleId: string; readonly dueAt: Date };

/** Hands over ticks, one at a time, each to one of all the processes that listen. A tick that throws comes again. */
export function openTickConsumer(
  space: QueueSpace,
  handle: (tick: Tick) => Promise<void>,
  onError: (error: Error) => void,
): AsyncDisposable {
  const worker = new Worker(
    scheduleQueueName,
    async (job) => {
      // BullMQ names the job of a tick `repeat:<scheduler>:<when it is due>`.
      const [, scheduleId = "", dueMs] = String(job.id).split(":");
      await handle({ scheduleId, dueAt: new Date(Number(dueMs)) });
    },
    { connection: space.client, prefix: space.prefix, concurrency: 1, lockDuration: 30_000 },
  );
  worker.on("error", onError);
  worker.on("failed", (_job, error) => onError(error));
  return { [Symbol.asyncDispose]: () => closeWorker(worker, closeWithinMs) };
}
