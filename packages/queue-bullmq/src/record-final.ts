import type { Job } from "bullmq";
import { removeDeadline } from "./control/deadlines.ts";
import { failureChannel } from "./dead-letters/watch-failures.ts";
import type { QueueSpace } from "./queue-space.ts";
import { announceChange } from "./token-log/live-channel.ts";
import { indexEnded } from "./tenant-index.ts";

/**
 * After a job reached a final state: the kept answer is no longer needed, and the tenant's index learns that
 * it ended. Lost when the worker dies right here; the sweep of ended jobs repairs it.
 */
export async function recordFinal(space: QueueSpace, queueName: string, job: Job): Promise<void> {
  const id = String(job.id);
  const pipeline = space.client.pipeline();
  pipeline.hdel(space.jobKey(queueName, id), "kept", "stop");
  const tenant = tenantOf(job.data);
  if (tenant !== undefined) indexEnded(pipeline, space, tenant, id);
  if (hasDeadline(job.data)) removeDeadline(pipeline, space, id);
  announceChange(pipeline, space, id);
  // Wakes the sweep that makes dead letters; it comes by itself if nobody hears.
  if (job.failedReason !== undefined) pipeline.publish(failureChannel(space), queueName);
  await pipeline.exec();
}

const hasDeadline = (payload: unknown): boolean =>
  typeof payload === "object" && payload !== null && ("start_by" in payload || "timeout_s" in payload);

/** The tenant in a payload that may not parse. */
export function tenantOf(payload: unknown): string | undefined {
  if (typeof payload !== "object" || payload === null || !("tenant" in payload)) return undefined;
  return typeof payload.tenant === "string" ? payload.tenant : undefined;
}
