import { hostname } from "node:os";
import { randomBytes } from "node:crypto";
import {
  createQueueDirectory,
  type Delivery,
  openQueueSpace,
  type Redis,
  retractWorker,
  watchQueueDirectory,
  watchStops,
} from "@forebay/queue-bullmq";
import { openBackend } from "./backends/backend.ts";
import { createModelCards } from "./backends/learn-model-cards.ts";
import { createBackendPool } from "./backends/backend-pool.ts";
import type { WorkerConfig } from "./config.ts";
import type { WorkerEvents } from "./events.ts";
import { runJob } from "./jobs/run-job.ts";
import { refreshOnce } from "./queues/refresh.ts";
import { startRefreshLoop } from "./queues/refresh-loop.ts";
import { createServedQueues } from "./queues/served-queues.ts";

/** Lease in intervals of discovery: two announcements may be lost before the worker counts as gone. */
const leaseIntervals = 3;

/** Opens a worker on a Redis connection; what it opened is on `stack`, last opened first closed. */
export async function startWorker(
  config: WorkerConfig,
  client: Redis,
  events: WorkerEvents,
  stack: AsyncDisposableStack,
): Promise<void> {
  const worker = config.name ?? `${hostname()}-${process.pid}-${randomBytes(2).toString("hex")}`;
  const space = openQueueSpace(client, config.redis.prefix);
  stack.defer(() => space.close());
  const directory = createQueueDirectory(space);

  const pool = createBackendPool(
    config.backends.map((backend) => openBackend({ ...backend, slots: config.slotsPerModel })),
  );
  for (const backend of pool.backends) stack.defer(() => backend.client.close());

  const handle = (delivery: Delivery) =>
    runJob(
      {
        pool,
        events,
        firstByteTimeoutMs: config.firstByteTimeoutMs,
        tokenTimeoutMs: config.tokenTimeoutMs,
        queueOf: (affinity) => directory.ensure(affinity),
        onBackendsChanged: () => served.adjust(),
      },
      delivery,
    );
  const served = createServedQueues(space, { ...config, worker }, pool, events, handle);
  stack.defer(() => served.close(AbortSignal.timeout(config.shutdownGraceMs)));
  stack.defer(() => retractWorker(space, worker));

  const leaseS = Math.max(3, Math.ceil((config.discoveryIntervalMs * leaseIntervals) / 1_000));
  const limits = new Map<string, number>();
  const cards = createModelCards();
  const startedAt = new Date();
  const refresher = { space, directory, pool, served, cards, events, worker, startedAt, leaseS, limits };
  const loop = stack.use(
    startRefreshLoop(() => refreshOnce(refresher), pool, config.discoveryIntervalMs, events.refreshFailed),
  );
  stack.use(await watchQueueDirectory(space, () => loop.poke()));
  stack.use(await watchStops(space, served.stopJob));
}
