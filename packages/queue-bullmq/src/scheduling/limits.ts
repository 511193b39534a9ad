import type { QueueSpace } from "../queues/queue-space.ts";

/** What a tenant may put over time; undefined: as much as it likes. */
export type RateLimits = {
  readonly requestsPerMin?: number | undefined;
  readonly tokensPerMin?: number | undefined;
  readonly tokensPerDay?: number | undefined;
};

/** How much of one limit is left. */
export type LimitLeft = {
  readonly name: "requests" | "tokens" | "tokens-day";
  readonly limit: number;
  readonly left: number;
  /** Milliseconds until all of it is there again. */ readonly resetMs: number;
};

export type LimitRow = [name: LimitLeft["name"], limit: string, left: number, resetMs: number];

export const limitsKey = (space: QueueSpace, tenant: string): string => space.key("limits", tenant);

/** In the order the scripts want them. */
export function limitArgs(limits: RateLimits = {}): (number | "")[] {
  return [limits.requestsPerMin ?? "", limits.tokensPerMin ?? "", limits.tokensPerDay ?? ""];
}

export function parseLimits(rows: readonly LimitRow[] = []): LimitLeft[] {
  return rows.map(([name, limit, left, resetMs]) => ({ name, limit: Number(limit), left, resetMs }));
}
