import {
  countDeadLetters,
  type QueueDirectory,
  type QueueSpace,
  readQueueGauges,
  readRedisMemory,
  readRegistry,
} from "@forebay/queue-bullmq";
import type { DlqMetrics } from "../dlq-metrics.ts";

const queuesAtOnce = 16;

/** Reads how full the queues are, for everybody: workers and API know only their own part. */
export async function refreshGauges(
  space: QueueSpace,
  directory: QueueDirectory,
  metrics: DlqMetrics,
): Promise<void> {
  const queues = await directory.list();
  for (let at = 0; at < queues.length; at += queuesAtOnce) {
    await Promise.all(
      queues
        .slice(at, at + queuesAtOnce)
        .map(({ name, model }) => refreshQueue(space, { queue: name, model }, metrics)),
    );
  }
  const [{ leases }, letters, memory] = await Promise.all([
    readRegistry(space),
    countDeadLetters(space),
    readRedisMemory(space.client),
  ]);
  metrics.workersLive.set(leases.length);
  for (const [state, count] of Object.entries(letters)) metrics.deadLetters.set({ state }, count);
  metrics.redisMemoryUsed.set(memory.usedBytes);
  metrics.redisMemoryMax.set(memory.maxBytes);
}

async function refreshQueue(
  space: QueueSpace,
  labels: { queue: string; model: string },
  metrics: DlqMetrics,
): Promise<void> {
  const { oldestWaitingS, held, ...states } = await readQueueGauges(space, labels.queue);
  for (const [state, count] of Object.entries(states)) {
    metrics.queueJobs.set({ ...labels, state }, count);
  }
  metrics.queueJobsHeld.set(labels, held);
  metrics.oldestWaiting.set(labels, oldestWaitingS);
}
