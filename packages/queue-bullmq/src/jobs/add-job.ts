import {
  deliveryOptions,
  type DeliveryPolicy,
  type InferenceJob,
  inferenceJobName,
  jobIdTimeMs,
} from "@forebay/queue-contracts";
import { deadlinesKey } from "../control/deadlines.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { defaultLaneWeights, estimateJob, type LaneWeights, ticksPerMs } from "@forebay/scheduling";
import { fairKeys, shareOf } from "../scheduling/fair-keys.ts";
import { addKeyParts, runAddScript } from "./add-script.ts";
import {
  compareClaim,
  type EarlierClaim,
  formatClaim,
  type IdempotencyClaim,
  idempotencyKey,
} from "./idempotency.ts";
import { tenantKeys } from "./tenant-index.ts";

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
  /** Of its tenant; default: what was last said. */
  readonly weight?: number | undefined;
  readonly laneWeights?: LaneWeights | undefined;
};

export type SubmitAnswer =
  | {
      kind: "added";
      createdAt: Date /** Jobs of its queue that run before it. */;
      ahead: number /** Its start tag in ticks; 0: it is delayed. */;
      tag: number;
    }
  /** The tenant has as many open jobs as it may; nothing was written. */
  | { kind: "full"; open: number }
  | EarlierClaim;

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
  limits: { openMax?: number | undefined; claim?: IdempotencyClaim | undefined } = {},
): Promise<SubmitAnswer> {
  const { id, queueName, job, createdAt = new Date(), laneWeights = defaultLaneWeights } = add;
  const { openMax, claim } = limits;
  const { attempts, priority, sizeLimit } = deliveryOptions(
    { lane: job.lane, attempts: add.attempts },
    add.policy,
  );
  const { open, ended } = tenantKeys(space, job.tenant);
  const { fair, flows } = fairKeys(space);
  const { flow, user } = shareOf(job);
  const { costMs = estimateJob(job).costMs } = add;
  const payload = JSON.stringify(job);
  const bytes = Buffer.byteLength(payload);
  if (bytes > sizeLimit) throw new PayloadTooLargeError(bytes, sizeLimit);
  // Opening the queue, once, writes what BullMQ keeps about it.
  space.queue(queueName);
  const reply = (await runAddScript(
    space.client,
    [
      ...addKeyParts.map((part) => space.jobKey(queueName, part)),
      open,
      ended,
      deadlinesKey(space),
      fair,
      flows,
      ...(claim ? [idempotencyKey(space, job.tenant, claim.key)] : []),
    ],
    [
      id,
      space.jobKey(queueName, ""),
      inferenceJobName,
      createdAt.getTime(),
      payload,
      attempts,
      priority,
      add.delayMs ?? 0,
      jobIdTimeMs(id),
      openMax ?? "",
      job.start_by === undefined ? "" : Math.round(job.start_by),
      claim ? formatClaim(id, claim) : "",
      claim?.ttlS ?? 0,
      flow,
      job.tenant,
      laneWeights[job.lane],
      add.weight ?? "",
      Math.max(1, Math.round(costMs * ticksPerMs)),
      user,
      queueName,
      `${space.prefix}:`,
    ],
  )) as [kind: "added" | "full", count: number, tag: string] | [kind: "claimed", claim: string];
  if (reply[0] === "claimed") return compareClaim(reply[1], claim?.fingerprint ?? "");
  return reply[0] === "full"
    ? { kind: "full", open: reply[1] }
    : { kind: "added", createdAt, ahead: reply[1], tag: Number(reply[2]) };
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
