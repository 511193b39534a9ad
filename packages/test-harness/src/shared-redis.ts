import type { TestProject } from "vitest/node";
import type {} from "./provided-context.ts";
import { startRedis } from "./start-redis.ts";

/** Vitest's global setup: one Redis on a free port for the whole run, found by tests with inject("redisUrl"). */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await startRedis({ appendonly: false });
  project.provide("redisUrl", redis.url);
  return redis.stop;
}
