import { countOpenJobs, type QueueSpace } from "@forebay/queue-bullmq";
import type { Caller } from "../auth/caller.ts";
import type { CachedReading } from "../cached-reading.ts";
import type { ApiConfig } from "../config.ts";
import { Problem } from "../http/problem.ts";
import { backoffS, retryAfterS } from "./retry-after.ts";
import type { SystemLoad } from "./system-load.ts";

/** Decides whether there is room for one more job. */
export type Admission = {
  /** Throws Problem when the whole system is full. */
  requireRoom(): Promise<void>;
  /** Most jobs the caller's tenant may have open; the queue holds it to that in the moment it takes a job. */
  openMaxOf(caller: Caller): number;
  /** The refusal of a tenant that has `open` jobs, which is as many as it may. */
  tooManyOpen(caller: Caller, open: number): Promise<Problem>;
  /** For a job that is put back: both, with the tenant's jobs counted now. Throws Problem. */
  enter(caller: Caller): Promise<void>;
};

export function createAdmission(
  space: QueueSpace,
  load: CachedReading<SystemLoad>,
  limits: ApiConfig["limits"],
): Admission {
  const openMaxOf = (caller: Caller): number => caller.jobsOpenMax ?? limits.tenantJobsOpenMax;
  const admission: Admission = {
    openMaxOf,
    async requireRoom() {
      const refusal = systemFull(await load.get(), limits);
      if (refusal) throw refusal;
    },
    async tooManyOpen(caller, open) {
      return tooManyOpen(open, openMaxOf(caller), await load.get());
    },
    async enter(caller) {
      await admission.requireRoom();
      const open = await countOpenJobs(space, caller.tenant);
      if (open >= openMaxOf(caller)) throw await admission.tooManyOpen(caller, open);
    },
  };
  return admission;
}

function systemFull(load: SystemLoad, limits: ApiConfig["limits"]): Problem | undefined {
  if (load.memoryUsed >= limits.redisMemoryHighWater) {
    const detail = "The memory of the queue is nearly full; jobs already accepted are being worked off.";
    return new Problem("storage_full", detail, { retryAfterS: backoffS(20) });
  }
  if (load.waiting < limits.jobsWaitingMax) return undefined;
  const excess = load.waiting - limits.jobsWaitingMax + 1;
  return new Problem("backlog_full", `${load.waiting} jobs are waiting; no more are taken in for now.`, {
    retryAfterS: retryAfterS(excess, load.finishedPerS, Math.random()),
  });
}

function tooManyOpen(open: number, max: number, load: SystemLoad): Problem {
  const after = retryAfterS(open - max + 1, load.finishedPerS, Math.random());
  const detail = `This tenant has ${open} jobs that are not finished; ${max} are allowed.`;
  return new Problem("too_many_open_jobs", detail, {
    retryAfterS: after,
    headers: {
      // Not requests per time but jobs at once; the draft's unit for that is "concurrent-requests".
      "ratelimit-policy": `"open-jobs";q=${max};qu="concurrent-requests"`,
      ratelimit: `"open-jobs";r=0;t=${after}`,
      "x-ratelimit-limit-requests": String(max),
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": `${after}s`,
    },
    members: { open_jobs: open, open_jobs_max: max },
  });
}
