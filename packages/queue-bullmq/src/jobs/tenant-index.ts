import { jobIdTimeMs } from "@forebay/queue-contracts";
import type { ChainableCommander } from "ioredis";
import type { QueueSpace } from "../queues/queue-space.ts";

/**
 * Which jobs a tenant has: two sorted sets of ids by time of creation, `open` (not final) and `ended`. A job
 * is in at most one of them, so their sizes are the tenant's load and its history. They are an index, not
 * the truth: an entry whose job is gone is dropped when somebody meets it.
 */
export function tenantKeys(space: QueueSpace, tenant: string): { open: string; ended: string } {
  return { open: space.key("jobs", tenant, "open"), ended: space.key("jobs", tenant, "ended") };
}

/** Lists a job that is about to be put back as open again. */
export function indexOpen(pipeline: ChainableCommander, space: QueueSpace, tenant: string, id: string): void {
  const keys = tenantKeys(space, tenant);
  pipeline.zrem(keys.ended, id).zadd(keys.open, jobIdTimeMs(id), id);
}

export function indexEnded(
  pipeline: ChainableCommander,
  space: QueueSpace,
  tenant: string,
  id: string,
): void {
  const keys = tenantKeys(space, tenant);
  pipeline.zrem(keys.open, id).zadd(keys.ended, jobIdTimeMs(id), id);
}

export function indexRemoved(
  pipeline: ChainableCommander,
  space: QueueSpace,
  tenant: string,
  id: string,
): void {
  const keys = tenantKeys(space, tenant);
  pipeline.zrem(keys.open, id).zrem(keys.ended, id);
}

/** How many jobs of the tenant are waiting, delayed or running. */
export function countOpenJobs(space: QueueSpace, tenant: string): Promise<number> {
  return space.client.zcard(tenantKeys(space, tenant).open);
}
