import { Job } from "bullmq";
import { finalStateOf } from "./job-record.ts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { startsLine } from "./starts.ts";
import { fairKeys } from "../scheduling/fair-keys.ts";
import { fairLua } from "../scheduling/fair-lua.ts";
import { indexOpen } from "./tenant-index.ts";
import { liveChannel } from "../token-log/live-channel.ts";
import { logKey } from "../token-log/log-entry.ts";
import { logLua } from "../token-log/log-lua.ts";

/** The job is not in the failed set: it never failed, or somebody else put it back a moment ago. */
export class JobNotFailedError extends Error {
  readonly code = "job_not_failed";
  constructor(id: string) {
    super(`job ${id} is not in a state it could be put back from`);
  }
}

// KEYS: job, log, prioritized, the two of fair shares. ARGV: line for `starts`, state it ended in, now in ms, channel,
// when it ended, name of the queue. Returns 0 when it
// is not that ended job any more.
const cleanSlate = createLuaScript(`
if redis.call("HGET", KEYS[1], "finishedOn") ~= ARGV[5] then return 0 end
local starts = redis.call("HGET", KEYS[1], "starts") or ""
if string.sub(starts, -#ARGV[1]) == ARGV[1] then return 1 end
redis.call("HSET", KEYS[1], "starts", starts .. ARGV[1])
local partial = redis.call("HEXISTS", KEYS[1], "partial")
redis.call("HDEL", KEYS[1], "stc", "dl", "kept", "stop", "partial", "progress", "stacktrace")
${logLua("KEYS[2]")}
reopen(ARGV[2], ARGV[3], partial == 1)
publish(ARGV[4])
${fairLua("KEYS[4]", "KEYS[5]")}
ask_again(KEYS[1], ARGV[6], redis.call("ZCARD", KEYS[3]))
return 1
`);

/**
 * Puts a job that ended without a result back on its queue: same id, attempts and worker losses counted from
 * zero, its history kept. Throws JobNotFailedError.
 */
export async function retryJob(
  space: QueueSpace,
  job: { id: string; queueName: string; tenant: string },
): Promise<void> {
  const queue = space.queue(job.queueName);
  const key = space.jobKey(job.queueName, job.id);
  const stored = await Job.fromId(queue, job.id);
  if (!stored?.finishedOn || !(await stored.isFailed())) throw new JobNotFailedError(job.id);
  const finishedOn = String(stored.finishedOn);
  const { fair, flows } = fairKeys(space);
  const line = startsLine({ fresh: true, ended_ms: stored.finishedOn });
  const state = finalStateOf({ finishedOn, failedReason: stored.failedReason });
  // Before the move, since after it a worker may already hold the job. A crash in between leaves a failed job
  // with a clean slate, which is what this function would do again.
  const cleaned = await cleanSlate(
    space.client,
    [key, logKey(key), queue.toKey("prioritized"), fair, flows],
    [line, state ?? "failed", Date.now(), liveChannel(space, job.id), finishedOn, job.queueName],
  );
  if (cleaned === 0) throw new JobNotFailedError(job.id);
  const pipeline = space.client.pipeline();
  indexOpen(pipeline, space, job.tenant, job.id);
  await pipeline.exec();
  try {
    await stored.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
  } catch (cause) {
    if (await stored.isFailed()) throw cause;
    throw Object.assign(new JobNotFailedError(job.id), { cause });
  }
}
