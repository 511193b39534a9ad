import { deliveryOptions, type DeliveryPolicy, type InferenceJob } from "@forebay/queue-contracts";
import { estimateJob, type LaneWeights, ticksPerMs } from "@forebay/scheduling";
import type { QueueSpace } from "../queues/queue-space.ts";
import { type LimitLeft, parseLimits, type RateLimits } from "../scheduling/limits.ts";
import type { LimitStanding } from "../scheduling/limit-standing.ts";
import { compareClaim, type EarlierClaim, type IdempotencyClaim } from "./idempotency.ts";
import { putJob } from "./put-job.ts";

export type NewJob = {
  /** Chosen by the caller before the first try to write it. */ readonly id: string;
  readonly queueName: string;
  /** Already parsed with `inferenceJobSchema`. */ readonly job: InferenceJob;
  readonly attempts?: number | undefined;
  /** Milliseconds until it may begin. */
  readonly delayMs?: number | undefined;
  /** When it was made; default now. */
  readonly createdAt?: Date | undefined;
  readonly policy: DeliveryPolicy;
  /** Milliseconds of a slot it is expected to take; default: what a job of an unknown model would. */
  readonly costMs?: number | undefined;
  /** It is expected to read and write. */
  readonly tokens?: number | undefined;
  /** Of its tenant; default: what was last said. */
  readonly weight?: number | undefined;
  readonly laneWeights?: LaneWeights | undefined;
  /** How many jobs of its tenant may run at once; null: any number; default: what was last said. */
  readonly runningMax?: number | null | undefined;
};

export type SubmitAnswer =
  | {
      kind: "added";
      createdAt: Date;
      /** Jobs of its queue that run before it. */
      ahead: number;
      /** Its tag in ticks; 0: it is delayed. */
      tag: number;
      /** Of its tenant's limits over time. */
      left: LimitLeft[];
      standing: LimitStanding;
    }
  /** A limit over time is met; nothing was written. */
  | { kind: "limited"; by: LimitLeft["name"]; waitMs: number; left: LimitLeft[] }
  /** The tenant has as many open jobs as it may; nothing was written. */
  | { kind: "full"; open: number }
  | EarlierClaim;

/** UTF-8 takes three bytes for a unit of UTF-16 at most. */
const bytesPerUnitMax = 3;

/** The payload is larger than a queue should hold. */
export class PayloadTooLargeError extends Error {
  readonly code = "payload_too_large";
  constructor(bytes: number, bytesMax: number) {
    super(`the payload has ${bytes} bytes, and ${bytesMax} are allowed`);
  }
}

/**
 * Puts a job on its queue, if its tenant may have one more open and nobody used the idempotency key before:
 * whole or not at all. Throws PayloadTooLargeError.
 */
export async function submitJob(
  space: QueueSpace,
  add: NewJob,
  limits: {
    openMax?: number | undefined;
    claim?: IdempotencyClaim | undefined;
    rates?: RateLimits | undefined;
  } = {},
): Promise<SubmitAnswer> {
  const { id, queueName, job, createdAt = new Date(), delayMs = 0, weight } = add;
  const { claim, openMax, rates } = limits;
  const { attempts, priority, sizeLimit } = deliveryOptions(
    { lane: job.lane, attempts: add.attempts },
    add.policy,
  );
  const payload = formatPayload(job);
  // Few are near it, and counting the bytes of all of them costs.
  const bytes = payload.length * bytesPerUnitMax > sizeLimit ? Buffer.byteLength(payload) : 0;
  if (bytes > sizeLimit) throw new PayloadTooLargeError(bytes, sizeLimit);
  const { costMs = estimateJob(job).costMs } = add;
  const laneWeight = add.laneWeights?.[job.lane];
  const reply = await putJob(space, {
    lot: {
      queueName,
      tenant: job.tenant,
      lane: job.lane,
      attempts,
      priority,
      delayMs,
      openMax,
      claimTtlS: claim?.ttlS,
      laneWeight,
      weight,
      rates,
      runningMax: add.runningMax,
    },
    id,
    payload,
    createdAtMs: createdAt.getTime(),
    costTicks: Math.max(1, Math.round(costMs * ticksPerMs)),
    tokens: Math.round(add.tokens ?? 0),
    user: job.user,
    startBy: job.start_by,
    claim,
  });
  switch (reply[0]) {
    case "claimed":
      return compareClaim(reply[1], claim?.fingerprint ?? "");
    case "full":
      return { kind: "full", open: reply[1] };
    case "limited":
      return { kind: "limited", by: reply[1], waitMs: reply[2], left: parseLimits(reply[3]) };
    case "added": {
      const [, ahead, tag, left, standing = ""] = reply;
      return { kind: "added", createdAt, ahead, tag: Number(tag), left: parseLimits(left ?? []), standing };
    }
  }
}

/**
 * Puts a job on its queue whatever its tenant has there. An id that is there already is left as it is, so the
 * call can be repeated when nobody knows whether the first one was done.
 *
 * @returns when the job was made, as its record will say unless the id was there already
 */
export async function addJob(space: QueueSpace, add: NewJob): Promise<Date> {
  const answer = await submitJob(space, add);
  return answer.kind === "added" ? answer.createdAt : new Date();
}

/** What the schema fills in is not stored: whoever reads a payload parses it. */
function formatPayload(job: InferenceJob): string {
  const { lane, stream } = job;
  return JSON.stringify({
    ...job,
    lane: lane === "standard" ? undefined : lane,
    stream: stream ? undefined : stream,
  });
}
