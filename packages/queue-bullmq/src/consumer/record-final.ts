import { jobIdTimeMs } from "@forebay/queue-contracts";
import type { Job } from "bullmq";
import { deadlinesKey } from "../control/deadlines.ts";
import { failureChannel } from "../dead-letters/watch-failures.ts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { tenantKeys } from "../jobs/tenant-index.ts";
import { liveChannel } from "../token-log/live-channel.ts";

// KEYS: job, then the tenant's open and ended jobs if it has one, then the deadlines if it may have one.
// ARGV: id, score in the index, channel of the job, channel of failures ("" = it did not fail), queue, keys of a tenant.
const tidyUp = createLuaScript(`
redis.call("HDEL", KEYS[1], "kept", "stop")
local at = 2
if ARGV[6] == "1" then
  redis.call("ZREM", KEYS[2], ARGV[1])
  redis.call("ZADD", KEYS[3], ARGV[2], ARGV[1])
  at = 4
end
if KEYS[at] then redis.call("ZREM", KEYS[at], ARGV[1]) end
redis.call("PUBLISH", ARGV[3], "")
if ARGV[4] ~= "" then redis.call("PUBLISH", ARGV[4], ARGV[5]) end
`);

/**
 * After a job reached a final state: the kept answer is no longer needed, and the tenant's index learns that
 * it ended. Lost when the worker dies right here; the sweep of ended jobs repairs it.
 */
export async function recordFinal(space: QueueSpace, queueName: string, job: Job): Promise<void> {
  const id = String(job.id);
  const tenant = tenantOf(job.data);
  const index = tenant === undefined ? undefined : tenantKeys(space, tenant);
  await tidyUp(
    space.client,
    [
      space.jobKey(queueName, id),
      ...(index ? [index.open, index.ended] : []),
      ...(hasDeadline(job.data) ? [deadlinesKey(space)] : []),
    ],
    [
      id,
      index ? jobIdTimeMs(id) : 0,
      liveChannel(space, id),
      // Wakes the sweep that makes dead letters; it comes by itself if nobody hears.
      job.failedReason === undefined ? "" : failureChannel(space),
      queueName,
      index ? 1 : 0,
    ],
  );
}

/** Whether a deadline may be noted for a job with this payload. */
export const hasDeadline = (payload: unknown): boolean =>
  typeof payload === "object" && payload !== null && ("start_by" in payload || "timeout_s" in payload);

/** The tenant in a payload that may not parse. */
export function tenantOf(payload: unknown): string | undefined {
  if (typeof payload !== "object" || payload === null || !("tenant" in payload)) return undefined;
  return typeof payload.tenant === "string" ? payload.tenant : undefined;
}
