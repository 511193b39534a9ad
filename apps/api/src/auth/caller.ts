import type { KeyRecord, Role } from "@forebay/access-keys";
import type { RateLimits } from "@forebay/queue-bullmq";
import type { Lane } from "@forebay/queue-contracts";

/** On whose behalf a request is made, and what that key may do. */
export type Caller = {
  readonly tenant: string;
  readonly role: Role;
  /** undefined in open mode. */
  readonly keyId: string | undefined;
  readonly keyName: string;
  /** undefined: all. */
  readonly models: readonly string[] | undefined;
  readonly lanes: readonly Lane[] | undefined;
  readonly defaultLane: Lane;
  /** undefined: the deployment's. */
  readonly jobsOpenMax: number | undefined;
  readonly jobsRunningMax: number | undefined;
  /** undefined members: the deployment's. */
  readonly rates: RateLimits;
  /** Of its tenant when GPUs are short, relative to the others' 1. */
  readonly weight: number;
};

/** While no key exists: whoever reaches the loopback address owns the machine. */
export const openCaller: Caller = {
  tenant: "default",
  role: "admin",
  keyId: undefined,
  keyName: "open",
  models: undefined,
  lanes: undefined,
  defaultLane: "standard",
  jobsOpenMax: undefined,
  jobsRunningMax: undefined,
  rates: {},
  weight: 1,
};

export function callerOfKey(key: KeyRecord): Caller {
  return {
    tenant: key.tenant,
    role: key.role,
    keyId: key.id,
    keyName: key.name,
    models: key.models,
    lanes: key.lanes,
    defaultLane: key.default_lane,
    jobsOpenMax: key.limits.jobs_open_max,
    jobsRunningMax: key.limits.jobs_running_max,
    rates: {
      requestsPerMin: key.limits.requests_per_min,
      tokensPerMin: key.limits.tokens_per_min,
      tokensPerDay: key.limits.tokens_per_day,
    },
    weight: key.weight,
  };
}

/** Operators and admins see the jobs of every tenant. */
export function seesAllTenants(caller: Caller): boolean {
  return caller.role !== "client";
}
