import type { Worker } from "bullmq";

/**
 * Closes a worker once what it runs has ended. While Redis is away BullMQ would wait for it; what the worker holds is
 * then taken over when its lock has run out.
 */
export async function closeWorker(worker: Worker, withinMs: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const giveUp = setTimeout(late.resolve, withinMs);
  await Promise.race([worker.close(), late.promise]);
  clearTimeout(giveUp);
}
