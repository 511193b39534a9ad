import {
  askForRoom,
  countOpenJobs,
  type LimitLeft,
  type QueueSpace,
  type RateLimits,
  type RoomAnswer,
} from "@forebay/queue-bullmq";
import type { Caller } from "../auth/caller.ts";
import type { CachedReading } from "../cached-reading.ts";
import type { ApiConfig } from "../config.ts";
import { Problem } from "../http/problem.ts";
import { decideRoom } from "./decide-room.ts";
import type { EtaMs, Forecasts } from "./forecasts.ts";
import { type BoundedLine, countLineName } from "./line.ts";
import { rateLimitHeaders } from "./rate-limit-headers.ts";
import { backoffS, retryAfterS } from "./retry-after.ts";
import type { SystemLoad } from "./system-load.ts";

/** Decides whether there is room for one more job. */
export type Admission = {
  /**
   * Throws Problem when the whole system is full, or the hosts of a job's model. One that `asks` is promised a place
   * in that case, which it gets when it comes back then.
   */
  requireRoom(job?: RoomSeeker): Promise<void>;
  /** Most jobs the caller's tenant may have open; the queue holds it to that in the moment it takes a job. */
  openMaxOf(caller: Caller): number;
  /** Most of them that may run at once; null: any number. */
  runningMaxOf(caller: Caller): number | null;
  /** What the caller's tenant may put over time; the queue holds it to that too. */
  ratesOf(caller: Caller): RateLimits;
  /** The refusal of a tenant that has `open` jobs, which is as many as it may. */
  tooManyOpen(caller: Caller, open: number): Promise<Problem>;
  /** For a job that is put back: both, with the tenant's jobs counted now. Throws Problem. */
  enter(caller: Caller): Promise<void>;
};

/** A job that wants to be queued. */
type RoomSeeker = {
  readonly model: string;
  /** Milliseconds of a slot it will take. */ readonly costMs: number;
  /** Who asks, to be known again; absent: it is only looked whether there is room. */
  readonly asks?: { readonly flow: string; identity(): string };
};

/** Where lines are half full, or room is promised, what is known of them may be so old. */
const freshMs = 100;
/**
 * Parts of a line's limit. Promises aim below it and are kept a little beyond: callers come late or several at once,
 * and work may take longer than expected.
 */
const targetPart = 0.75;
const keptPart = 1.25;
/** Up to here everybody may join: not all who were promised room come back for it. */
const lowPart = 0.5;

export function createAdmission(
  space: QueueSpace,
  load: CachedReading<SystemLoad>,
  forecasts: Forecasts,
  limits: ApiConfig["limits"],
  onAnswer: (answer: RoomAnswer["kind"]) => void,
): Admission {
  const openMaxOf = (caller: Caller): number => caller.jobsOpenMax ?? limits.tenantJobsOpenMax;
  let counted: SystemLoad | undefined;
  let joined = 0;

  /** With what joined since it was read. */
  const readLoad = async (): Promise<SystemLoad> => {
    let read = await load.get();
    if (read.promised || read.waiting + joined > limits.jobsWaitingMax * lowPart)
      read = await load.get(freshMs);
    if (read !== counted) joined = 0;
    counted = read;
    return { ...read, waiting: read.waiting + joined };
  };

  const readWork = async ({ model, costMs }: RoomSeeker): Promise<BoundedLine | undefined> => {
    const limitMs = limits.backlogSMax * 1_000;
    let line = await forecasts.endOfLine(model);
    if (line && (line.promised || line.levelMs > limitMs * lowPart)) {
      line = await forecasts.endOfLine(model, freshMs);
    }
    return line && { ...line, limitMs, amount: costMs };
  };

  const ask = async (line: BoundedLine, asks: RoomSeeker["asks"]): Promise<RoomAnswer> => {
    const { name, levelMs, limitMs, msPerUnit, others, amount } = line;
    const targetMs = limitMs * targetPart;
    if (!asks) {
      if (levelMs <= limitMs) return { kind: "room" };
      const waitMs = retryAfterS((levelMs - targetMs) / 1_000, 1, Math.random()) * 1_000;
      return { kind: "unpromised", waitMs };
    }
    const keptMs = limitMs * keptPart;
    const bounds = { levelMs, limitMs, keptMs, targetMs, lowMs: limitMs * lowPart, msPerUnit, others };
    const who = { flow: asks.flow, identity: asks.identity() };
    const answer = await askForRoom(space, { ...bounds, ...who, line: name, amount });
    onAnswer(answer.kind);
    return answer;
  };

  const admission: Admission = {
    openMaxOf,
    runningMaxOf: (caller) => caller.jobsRunningMax ?? limits.tenantJobsRunningMax ?? null,
    ratesOf: ({ rates }) => ({
      requestsPerMin: rates.requestsPerMin ?? limits.tenantRates.requestsPerMin,
      tokensPerMin: rates.tokensPerMin ?? limits.tenantRates.tokensPerMin,
      tokensPerDay: rates.tokensPerDay ?? limits.tenantRates.tokensPerDay,
    }),
    async requireRoom(job) {
      const [now, work] = await Promise.all([readLoad(), job && readWork(job)]);
      const decision = decideRoom(now, work, limits);
      switch (decision.kind) {
        case "room":
          break;
        case "memory":
          throw storageFull();
        case "stuck":
          throw backlogFull(tooManyWait(now), retryAfterS(1, 0, Math.random()));
        case "ask": {
          const { line } = decision;
          const answer = await ask(line, job?.asks);
          if (!("waitMs" in answer)) break;
          const detail = line.name === countLineName ? tooManyWait(now) : tooMuchWork(line);
          throw backlogFull(detail, Math.max(1, Math.ceil(answer.waitMs / 1_000)));
        }
      }
      if (job && !job.asks) return;
      joined++;
      if (job) forecasts.joined(job.model, job.costMs);
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

const tooManyWait = ({ waiting }: SystemLoad): string =>
  `${waiting} jobs are waiting; no more are taken in for now.`;
const tooMuchWork = ({ levelMs, limitMs }: BoundedLine): string =>
  levelMs > limitMs
    ? `About ${Math.round(levelMs / 1_000)} s of work wait for this model's hosts, and ${limitMs / 1_000} are allowed.`
    : "What room there is before this model's hosts is promised to those who were sent away before.";

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
