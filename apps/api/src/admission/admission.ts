import { countOpenJobs, type LimitLeft, type QueueSpace, type RateLimits } from "@forebay/queue-bullmq";
import type { Caller } from "../auth/caller.ts";
import type { CachedReading } from "../cached-reading.ts";
import type { ApiConfig } from "../config.ts";
import { Problem } from "../http/problem.ts";
import { decideRoom } from "./decide-room.ts";
import type { EtaMs, Forecasts } from "./forecasts.ts";
import { rateLimitHeaders } from "./rate-limit-headers.ts";
import { backoffS, retryAfterS } from "./retry-after.ts";
import type { SystemLoad } from "./system-load.ts";

/** Decides whether there is room for one more job. */
export type Admission = {
  /** Throws Problem when the whole system is full, or, for a job of a model, the hosts that have it. */
  requireRoom(place?: { queueName: string; model: string }): Promise<void>;
  /** Most jobs the caller's tenant may have open; the queue holds it to that in the moment it takes a job. */
  openMaxOf(caller: Caller): number;
  /** What the caller's tenant may put over time; the queue holds it to that too. */
  ratesOf(caller: Caller): RateLimits;
  /** The refusal of a tenant that has `open` jobs, which is as many as it may. */
  tooManyOpen(caller: Caller, open: number): Promise<Problem>;
  /** For a job that is put back: both, with the tenant's jobs counted now. Throws Problem. */
  enter(caller: Caller): Promise<void>;
};

export function createAdmission(
  space: QueueSpace,
  load: CachedReading<SystemLoad>,
  forecasts: Forecasts,
  limits: ApiConfig["limits"],
): Admission {
  const openMaxOf = (caller: Caller): number => caller.jobsOpenMax ?? limits.tenantJobsOpenMax;
  const admission: Admission = {
    openMaxOf,
    ratesOf: ({ rates }) => ({
      requestsPerMin: rates.requestsPerMin ?? limits.tenantRates.requestsPerMin,
      tokensPerMin: rates.tokensPerMin ?? limits.tenantRates.tokensPerMin,
      tokensPerDay: rates.tokensPerDay ?? limits.tenantRates.tokensPerDay,
    }),
    async requireRoom(place) {
      // The end of the line: behind everything that waits.
      const last = place && { ...place, tag: Number.POSITIVE_INFINITY, ahead: Number.POSITIVE_INFINITY };
      const [now, end] = await Promise.all([load.get(), last && forecasts.startOf(last)]);
      const backlogS = end && end.waitMs / 1_000;
      const decision = decideRoom(now, backlogS, limits);
      switch (decision.kind) {
        case "room":
          return;
        case "memory":
          throw storageFull();
        case "count":
          throw backlogFull(
            `${now.waiting} jobs are waiting; no more are taken in for now.`,
            retryAfterS(decision.excess, now.finishedPerS, Math.random()),
          );
        case "work": {
          const detail = `About ${Math.round(decision.backlogS)} s of work wait for this model's hosts, and ${limits.backlogSMax} are allowed.`;
          throw backlogFull(detail, retryAfterS(decision.excessS, 1, Math.random()));
        }
      }
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

function storageFull(): Problem {
  const detail = "The memory of the queue is nearly full; jobs already accepted are being worked off.";
  return new Problem("storage_full", detail, { retryAfterS: backoffS(20) });
}

function backlogFull(detail: string, afterS: number): Problem {
  return new Problem("backlog_full", detail, { retryAfterS: afterS });
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

const limitNames = {
  requests: "requests per minute",
  tokens: "tokens per minute",
  "tokens-day": "tokens per day",
} as const;

/** The refusal of a tenant that has used up a limit over time; obeying its Retry-After finds room, unless others come first. */
export function rateLimited(by: LimitLeft["name"], waitMs: number, left: readonly LimitLeft[]): Problem {
  const limit = left.find(({ name }) => name === by)?.limit;
  const detail = `This tenant has used up its ${limit} ${limitNames[by]}.`;
  // A second at most on top, so that those refused together do not come back together; days are not jittered away.
  // Not over a minute because of that: OpenAI's SDKs ignore more.
  const afterS = Math.ceil(waitMs / 1_000 + (waitMs <= 59_000 ? Math.random() : 0));
  return new Problem("rate_limited", detail, {
    retryAfterS: afterS,
    headers: rateLimitHeaders(left),
    members: { limit: by },
  });
}

/** The refusal of a job that would not begin before its deadline; undefined: it may. */
export function deadlineRefusal(startDeadlineMs: number, eta: EtaMs | undefined): Problem | undefined {
  if (!eta || eta.lowMs <= startDeadlineMs) return undefined;
  const [low, high] = [eta.lowMs, eta.highMs].map((ms) => Math.round(ms / 1_000));
  const detail = `It would have to begin within ${Math.round(startDeadlineMs / 1_000)} s, and is expected to after ${low} to ${high} s.`;
  return new Problem("deadline_unreachable", detail, {
    // As long as nothing joins, the line gets shorter by a second each second.
    retryAfterS: retryAfterS((eta.lowMs - startDeadlineMs) / 1_000, 1, Math.random()),
    members: { eta_s: Math.round(eta.waitMs / 1_000), eta_range_s: [low, high] },
  });
}
