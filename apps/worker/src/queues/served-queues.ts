import {
  type Consumer,
  type Delivery,
  openConsumer,
  type QueueSpace,
  type StopReason,
} from "@forebay/queue-bullmq";
import type { QueueEntry } from "@forebay/queue-contracts";
import type { BackendPool } from "../backends/backend-pool.ts";
import type { WorkerConfig } from "../config.ts";
import type { WorkerEvents } from "../events.ts";
import type { EndedStart } from "../jobs/ended-start.ts";

type Served = { consumer: Consumer; model: string; paused: boolean };

/** The consumers of this worker, one for each queue whose model one of its hosts has. */
export type ServedQueues = {
  /** Opens and closes consumers so that they match the directory and the hosts. */
  match(entries: readonly QueueEntry[]): void;
  /** Pauses the queues nobody can serve now and resumes those somebody can again. */
  adjust(): void;
  /** Stops a job if it runs in this worker. */
  stopJob(id: string, reason: StopReason): void;
  close(deadline: AbortSignal): Promise<void>;
};

export function createServedQueues(
  space: QueueSpace,
  config: Pick<WorkerConfig, "policy" | "lockMs" | "stalledCheckMs"> & { worker: string },
  pool: BackendPool,
  events: WorkerEvents,
  handle: (delivery: Delivery) => Promise<EndedStart>,
): ServedQueues {
  const served = new Map<string, Served>();
  const closing = new Set<Consumer>();

  /** In the background: what runs on it may run for long, and the other queues need looking after. */
  const closeLater = (consumer: Consumer): void => {
    closing.add(consumer);
    void consumer.close(new AbortController().signal).finally(() => closing.delete(consumer));
  };

  const open = (entry: QueueEntry): void => {
    const { model } = entry;
    const consumer = openConsumer(space, {
      queueName: entry.name,
      concurrency: Math.max(1, pool.capacity(model)),
      worker: config.worker,
      policy: config.policy,
      lockMs: config.lockMs,
      stalledCheckMs: config.stalledCheckMs,
      handle,
      on: {
        stalled: () => events.jobStalled(model),
        lockLost: () => events.lockLost(model),
        error: events.consumerFailed,
      },
    });
    served.set(entry.name, { consumer, model, paused: false });
    events.queueOpened(entry.name, model);
  };

  const adjust = (): void => {
    for (const queue of served.values()) {
      const capacity = pool.capacity(queue.model);
      if (capacity > 0) queue.consumer.setConcurrency(capacity);
      if (capacity === 0 && !queue.paused) {
        queue.consumer.pause();
        events.queuePaused(queue.consumer.queueName);
      }
      if (capacity > 0 && queue.paused) {
        queue.consumer.resume();
        events.queueResumed(queue.consumer.queueName);
      }
      queue.paused = capacity === 0;
    }
  };

  return {
    adjust,
    match(entries) {
      const known = new Set(pool.backends.flatMap((each) => each.models.map(({ name }) => name)));
      for (const entry of entries) if (known.has(entry.model) && !served.has(entry.name)) open(entry);
      for (const [name, { consumer, model }] of served) {
        if (known.has(model)) continue;
        served.delete(name);
        events.queueClosed(name, model);
        closeLater(consumer);
      }
      adjust();
    },
    stopJob(id, reason) {
      const open = [...served.values()].map(({ consumer }) => consumer);
      for (const consumer of [...open, ...closing]) if (consumer.stopJob(id, reason)) return;
    },
    async close(deadline) {
      const open = [...served.values()].map(({ consumer }) => consumer);
      await Promise.all([...open, ...closing].map((consumer) => consumer.close(deadline)));
      served.clear();
    },
  };
}
