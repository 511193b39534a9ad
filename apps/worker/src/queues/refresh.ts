import {
  announceWorker,
  type QueueDirectory,
  type QueueSpace,
  type WorkerLease,
} from "@forebay/queue-bullmq";
import type { Backend } from "../backends/backend.ts";
import type { BackendPool } from "../backends/backend-pool.ts";
import type { WorkerEvents } from "../events.ts";
import type { ServedQueues } from "./served-queues.ts";

export type Refresher = {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  readonly pool: BackendPool;
  readonly served: ServedQueues;
  readonly events: WorkerEvents;
  readonly worker: string;
  readonly startedAt: Date;
  readonly leaseS: number;
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
  await served.match(await directory.list());
  pool.wake();
  await announceWorker(refresher.space, describeWorker(refresher), refresher.leaseS);
}

async function refreshBackend(backend: Backend, events: WorkerEvents): Promise<void> {
  const was = backend.up;
  const firstLook = backend.models.length === 0;
  const error = await backend.refresh();
  if (backend.up !== was || (firstLook && !backend.up)) events.backendChanged(backend, error);
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
