import type { Job } from "bullmq";
import { clearDeadline } from "../control/deadlines.ts";
import { failureChannel } from "../dead-letters/watch-failures.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { recordEnded } from "../jobs/tenant-index.ts";
import { liveChannel } from "../token-log/live-channel.ts";

/**
 * After a job reached a final state: the kept answer is no longer needed, and the tenant's index learns that
 * it ended. Lost when the worker dies right here; the sweep of ended jobs repairs it.
 */
export async function recordFinal(space: QueueSpace, queueName: string, job: Job): Promise<void> {
  const { client } = space;
  const id = String(job.id);
  const tenant = tenantOf(job.data);
  // No pipeline: these leave in one write anyway, and making one costs more than all of them.
  await Promise.all([
    client.hdel(space.jobKey(queueName, id), "kept", "stop"),
    tenant === undefined ? undefined : recordEnded(space, tenant, id),
    hasDeadline(job.data) ? clearDeadline(space, id) : undefined,
    client.publish(liveChannel(space, id), ""),
    // Wakes the sweep that makes dead letters; it comes by itself if nobody hears.
    job.failedReason === undefined ? undefined : client.publish(failureChannel(space), queueName),
  ]);
}

const hasDeadline = (payload: unknown): boolean =>
  typeof payload === "object" && payload !== null && ("start_by" in payload || "timeout_s" in payload);

/** The tenant in a payload that may not parse. */
export function tenantOf(payload: unknown): string | undefined {
  if (typeof payload !== "object" || payload === null || !("tenant" in payload)) return undefined;
  return typeof payload.tenant === "string" ? payload.tenant : undefined;
}
