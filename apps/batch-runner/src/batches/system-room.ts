import {
  countWaitingJobs,
  type QueueDirectory,
  type QueueSpace,
  readModelCosts,
  readRedisMemory,
  readRegistry,
} from "@forebay/queue-bullmq";
import type { ModelCosts } from "@forebay/scheduling";

/** What the whole system says to more work, at most a second old. */
export type SystemRoom = {
  /** Whether more jobs may be put (what the API refuses, batches wait for); known models, and what their jobs cost. */
  read(): Promise<{
    free: boolean;
    models: ReadonlySet<string>;
    costs: ReadonlyMap<string, ModelCosts>;
  }>;
};

const believedMs = 1_000;

export function createSystemRoom(
  space: QueueSpace,
  directory: QueueDirectory,
  limits: { jobsWaitingMax: number; redisMemoryHighWater: number },
): SystemRoom {
  let last: { at: number; value: ReturnType<SystemRoom["read"]> } | undefined;
  const readNow = async () => {
    const [waiting, memory, { models }] = await Promise.all([
      countWaitingJobs(space, directory),
      readRedisMemory(space.client),
      readRegistry(space),
    ]);
    const costs = await readModelCosts(space, [...models]);
    const used = memory.maxBytes > 0 ? memory.usedBytes / memory.maxBytes : 0;
    return { free: waiting < limits.jobsWaitingMax && used < limits.redisMemoryHighWater, models, costs };
  };
  return {
    read() {
      if (last && Date.now() - last.at < believedMs) return last.value;
      const reading = { at: Date.now(), value: readNow() };
      last = reading;
      reading.value.catch(() => {
        if (last === reading) last = undefined;
      });
      return reading.value;
    },
  };
}
