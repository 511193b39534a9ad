import {
  announceWorker,
  keepShares,
  limitRunning,
  publishModelCards,
  type QueueDirectory,
  type QueueSpace,
  readRegistry,
  slotsOfModel,
  type WorkerLease,
} from "@forebay/queue-bullmq";
import type { QueueEntry } from "@forebay/queue-contracts";
import type { Backend } from "../backends/backend.ts";
import type { BackendPool } from "../backends/backend-pool.ts";
import type { ModelCards } from "../backends/learn-model-cards.ts";
import type { WorkerEvents } from "../events.ts";
import type { ServedQueues } from "./served-queues.ts";

export type Refresher = {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  readonly pool: BackendPool;
  readonly served: ServedQueues;
  readonly cards: ModelCards;
  readonly events: WorkerEvents;
  readonly worker: string;
  readonly startedAt: Date;
  readonly leaseS: number;
  /** What each queue was limited to last, so that it is written only when it changes. */
  readonly limits: Map<string, number>;
};

/**
 * One look at the world: the hosts and their models, then the queues to consume, then the lease that tells
 * the API what can be served.
 */
export async function refreshOnce(refresher: Refresher): Promise<void> {
  const { pool, directory, served, events } = refresher;
  await Promise.all(pool.backends.map((backend) => refreshBackend(backend, events)));
  for (const backend of pool.backends) {
    for (const model of backend.models) await directory.ensure({ model: model.name, runner: {} });
  }
  await announceWorker(refresher.space, describeWorker(refresher), refresher.leaseS);
  const entries = await directory.list();
  await limitQueues(refresher, entries);
  served.match(entries);
  pool.wake();
  await keepShares(
    refresher.space,
    entries.map(({ name }) => name),
  );
  // Last: a host that is slow to tell about its models must not keep its jobs waiting.
  await publishModelCards(refresher.space, await refresher.cards.learn(pool.backends, Date.now()));
}

/**
 * Several workers may serve one host, and each only knows its own calls; the queue's limit keeps them together
 * within the host's slots. It is set before a consumer opens, so that a new worker does not overshoot.
 */
async function limitQueues(refresher: Refresher, entries: readonly QueueEntry[]): Promise<void> {
  const { leases } = await readRegistry(refresher.space);
  for (const { name, model } of entries) {
    const slots = slotsOfModel(leases, model);
    if (slots === 0 || refresher.limits.get(name) === slots) continue;
    await limitRunning(refresher.space, name, slots);
    refresher.limits.set(name, slots);
  }
}

async function refreshBackend(backend: Backend, events: WorkerEvents): Promise<void> {
  const { changed, error } = await backend.refresh();
  if (changed) events.backendChanged(backend, error);
  for (const model of backend.models) events.slotsChanged(backend, model.name);
}

function describeWorker(refresher: Refresher): WorkerLease {
  return {
    worker: refresher.worker,
    started_at: refresher.startedAt.toISOString(),
    finished_per_s: refresher.events.finishedPerS(),
    backends: refresher.pool.backends.map((backend) => ({
      name: backend.name,
      up: backend.up,
      version: backend.version,
      slots: backend.slots,
      models: [...backend.models],
    })),
  };
}
