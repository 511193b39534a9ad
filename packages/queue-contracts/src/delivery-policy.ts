import { z } from "zod";
import { type Lane, lanePriority } from "./lane.ts";

const seconds = z.int().min(1);

/** How often a job is tried, how long between tries, and how long what is left of it is kept. */
export const deliveryPolicySchema = z.object({
  attempts: z
    .int()
    .min(1)
    .max(10)
    .default(3)
    .describe("Tries that count. Shutdown, overload and an unreachable backend spend none."),
  backoffBaseMs: z
    .int()
    .min(0)
    .default(2_000)
    .describe("Wait before try n+1: base × 2^(n-1), at most max, less up to `jitter` of itself at random."),
  backoffMaxMs: z.int().min(0).default(60_000),
  backoffJitter: z.number().min(0).max(1).default(0.5),
  workerLossesMax: z
    .int()
    .min(0)
    .default(2)
    .describe("How often a job may be taken from a worker that died before it fails as `worker_lost`."),
  completedAgeS: seconds
    .default(24 * 3_600)
    .describe("How long results are kept; per queue, whichever of age and count is reached first."),
  completedCount: z.int().min(1).default(10_000).describe("How many results are kept per queue."),
  failedAgeS: seconds.default(7 * 24 * 3_600).describe("How long failed jobs are kept."),
  deadLetterAgeS: seconds.default(30 * 24 * 3_600).describe("How long dead letters are kept."),
});
export type DeliveryPolicy = z.infer<typeof deliveryPolicySchema>;

export const defaultDeliveryPolicy: DeliveryPolicy = deliveryPolicySchema.parse({});

/** BullMQ name of every inference job: queues hold one kind, so the name says nothing. */
export const inferenceJobName = "infer";

/**
 * BullMQ's options for one job, to be given to `queue.add(inferenceJobName, job, …)` together with a
 * `jobId` from `createJobId`. Retention and waiting between tries are the consumer's and not stored per job.
 */
export function deliveryOptions(
  job: { lane: Lane; attempts?: number | undefined },
  policy: DeliveryPolicy = defaultDeliveryPolicy,
): { attempts: number; priority: number; sizeLimit: number } {
  return {
    attempts: job.attempts ?? policy.attempts,
    priority: lanePriority[job.lane],
    sizeLimit: payloadBytesMax,
  };
}

/** Larger payloads do not belong into Redis. */
export const payloadBytesMax = 8 * 1024 * 1024;

/** Milliseconds to wait after the `attemptsMade`-th try failed; `random` is in [0, 1). */
export function backoffMs(attemptsMade: number, policy: DeliveryPolicy, random: number): number {
  const full = Math.min(policy.backoffBaseMs * 2 ** Math.max(0, attemptsMade - 1), policy.backoffMaxMs);
  return Math.round(full * (1 - policy.backoffJitter * random));
}
