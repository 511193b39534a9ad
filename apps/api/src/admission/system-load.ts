import {
  countWaitingJobs,
  type QueueDirectory,
  type QueueSpace,
  readPromises,
  readRedisMemory,
} from "@forebay/queue-bullmq";
import { type CachedReading, createCachedReading } from "../cached-reading.ts";
import type { KnownModels } from "./known-models.ts";
import { countLineName } from "./line.ts";

/** How full the whole system is. */
export type SystemLoad = {
  /** Jobs that wait, on all queues. */ readonly waiting: number;
  /** Part of Redis's maxmemory in use; 0 when none is set. */ readonly memoryUsed: number;
  /** Jobs all live workers finish per second. */ readonly finishedPerS: number;
  /** Places for jobs, of any model, are promised. */ readonly promised: boolean;
};

const believedMs = 1_000;

export function createSystemLoad(
  space: QueueSpace,
  directory: QueueDirectory,
  models: KnownModels,
): CachedReading<SystemLoad> {
  return createCachedReading(async () => {
    const [waiting, memory, { leases }, promises] = await Promise.all([
      countWaitingJobs(space, directory),
      readRedisMemory(space.client),
      models.read(),
      readPromises(space),
    ]);
    const rates = leases.flatMap((lease) => Object.values(lease.finished_per_s));
    return {
      waiting,
      memoryUsed: memory.maxBytes > 0 ? memory.usedBytes / memory.maxBytes : 0,
      finishedPerS: rates.reduce((sum, rate) => sum + rate, 0),
      promised: promises.has(countLineName),
    };
  }, believedMs);
}
