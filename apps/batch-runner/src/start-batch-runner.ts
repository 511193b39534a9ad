import { openBlobStore } from "@forebay/blob-store";
import {
  createBatchStore,
  createFileStore,
  createQueueDirectory,
  openLiveHub,
  openQueueSpace,
  type Redis,
} from "@forebay/queue-bullmq";
import { startLoop } from "@forebay/service-runtime";
import type { BatchDeps } from "./batches/batch-deps.ts";
import { createInFlightLimit } from "./batches/in-flight-limit.ts";
import { openRunningBatches } from "./batches/open-running-batches.ts";
import { createSystemRoom } from "./batches/system-room.ts";
import type { BatchRunnerConfig } from "./config.ts";
import type { RunnerEvents } from "./events.ts";
import { sweepExpired, sweepOrphans } from "./upkeep/sweep-files.ts";
import { watchOpenBatches } from "./upkeep/watch-open-batches.ts";

/** Opens everything on a Redis connection; what it opened is on `stack`, last opened first closed. */
export async function startBatchRunner(
  config: BatchRunnerConfig,
  redis: Redis,
  events: RunnerEvents,
  stack: AsyncDisposableStack,
): Promise<void> {
  const space = openQueueSpace(redis, config.redis.prefix);
  stack.defer(() => space.close());
  const directory = createQueueDirectory(space, config.queuesMax);
  const deps: BatchDeps = {
    space,
    directory,
    hub: stack.use(openLiveHub(space)),
    files: createFileStore(space),
    batches: createBatchStore(space),
    blobs: stack.use(openBlobStore(config.blobs)),
    policy: config.policy,
    limits: config.limits,
    inFlight: createInFlightLimit(config.linesInFlightTotalMax, events.linesInFlight),
    room: createSystemRoom(space, directory, config.room),
    events,
  };
  stack.use(await openRunningBatches(deps, config));
  const watch = () => watchOpenBatches(space, deps.batches, events);
  stack.use(startLoop(watch, config.upkeepMs, events.upkeepFailed));
  const sweep = async (): Promise<void> => {
    const expired = await sweepExpired(deps, Math.floor(Date.now() / 1_000));
    const orphans = await sweepOrphans(deps, config.orphanAgeMs);
    if (expired + orphans > 0) events.filesSwept(expired, orphans);
  };
  stack.use(startLoop(sweep, config.sweepMs, events.upkeepFailed));
}
