import { inferenceJobName, jobIdTimeMs, type Lane } from "@forebay/queue-contracts";
import { deadlinesKey } from "../control/deadlines.ts";
import { perSpace } from "../queues/per-space.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { groupCalls } from "../redis/group-calls.ts";
import { isRedisUnavailable } from "../redis/redis-errors.ts";
import { fairKeys, flowOf } from "../scheduling/fair-keys.ts";
import {
  limitArgs,
  type LimitLeft,
  type LimitRow,
  limitsKey,
  type RateLimits,
} from "../scheduling/limits.ts";
import type { LimitStanding } from "../scheduling/limit-standing.ts";
import { addKeyParts, runAddScript } from "./add-script.ts";
import { claimRoot, digestOfKey, type IdempotencyClaim, keptFingerprint } from "./idempotency.ts";
import { tenantKeys } from "./tenant-index.ts";

/** What jobs have in common that are put together. */
type Lot = {
  readonly queueName: string;
  readonly tenant: string;
  readonly lane: Lane;
  readonly attempts: number;
  /** Of a delayed job. */ readonly priority: number;
  readonly delayMs: number;
  readonly openMax: number | undefined;
  readonly claimTtlS: number | undefined;
  readonly laneWeight: number | undefined;
  readonly weight: number | undefined;
  readonly rates: RateLimits | undefined;
  readonly runningMax: number | null | undefined;
};

/** One job as the script takes it. */
type Put = {
  readonly lot: Lot;
  readonly id: string;
  readonly payload: string;
  readonly createdAtMs: number;
  readonly costTicks: number;
  readonly tokens: number;
  readonly user: string | undefined;
  readonly startBy: number | undefined;
  readonly claim: IdempotencyClaim | undefined;
};

/** As the script says. */
export type PutReply =
  | ["added", ahead: number, tag: string, left?: LimitRow[] | null, standing?: LimitStanding]
  | ["limited", by: LimitLeft["name"], waitMs: number, left: LimitRow[]]
  | ["full", open: number]
  | ["claimed", claim: string];

/** More do not wait for each other: Redis is to put the first while the rest are being made. */
const putsMax = 16;

const groupsOf = perSpace((space) =>
  // What one job makes fail must not fail others. What was put before it is found, and is not put twice.
  groupCalls((puts: readonly Put[]) => runLot(space, puts), {
    client: space.client,
    callsMax: putsMax,
    isOfOne: (error) => !isRedisUnavailable(error),
  }),
);

/** Puts a job, together with others of its lot that are put in the same turn of the event loop. */
export function putJob(space: QueueSpace, put: Put): Promise<PutReply> {
  return groupsOf(space)(nameOf(put.lot), put);
}

function nameOf(lot: Lot): string {
  const { requestsPerMin, tokensPerMin, tokensPerDay } = lot.rates ?? {};
  const limits = `${lot.openMax} ${requestsPerMin} ${tokensPerMin} ${tokensPerDay} ${lot.weight} ${lot.laneWeight} ${lot.runningMax}`;
  return `${lot.queueName} ${lot.lane} ${lot.tenant} ${lot.attempts} ${lot.delayMs} ${lot.claimTtlS} ${limits}`;
}

async function runLot(space: QueueSpace, puts: readonly Put[]): Promise<PutReply[]> {
  const [{ lot }] = puts as [Put];
  const { queueName, tenant } = lot;
  const { open, ended } = tenantKeys(space, tenant);
  const { fair, flows } = fairKeys(space);
  // Opening the queue, once, writes what BullMQ keeps about it.
  space.queue(queueName);
  const reply = await runAddScript(
    space.client,
    [
      ...addKeyParts.map((part) => space.jobKey(queueName, part)),
      open,
      ended,
      deadlinesKey(space),
      fair,
      flows,
      limitsKey(space, tenant),
    ],
    [
      space.jobKey(queueName, ""),
      claimRoot(space, tenant),
      inferenceJobName,
      lot.attempts,
      lot.priority,
      lot.delayMs,
      lot.openMax ?? "",
      lot.claimTtlS ?? "",
      flowOf(tenant, lot.lane),
      tenant,
      lot.laneWeight ?? "",
      lot.weight ?? "",
      queueName,
      `${space.prefix}:`,
      ...limitArgs(lot.rates),
      lot.runningMax === undefined ? "?" : (lot.runningMax ?? ""),
      ...puts.flatMap(argsOf),
    ],
  );
  return JSON.parse(reply as string) as PutReply[];
}

function argsOf({
  id,
  payload,
  createdAtMs,
  costTicks,
  tokens,
  user,
  startBy,
  claim,
}: Put): (string | number)[] {
  return [
    id,
    payload,
    createdAtMs,
    jobIdTimeMs(id),
    costTicks,
    tokens,
    user ?? "",
    startBy === undefined ? "" : Math.round(startBy),
    claim ? digestOfKey(claim.key) : "",
    claim ? keptFingerprint(claim.fingerprint) : "",
  ];
}
