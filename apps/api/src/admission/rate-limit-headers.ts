import type { LimitLeft } from "@forebay/queue-bullmq";

const windowS = { requests: 60, tokens: 60, "tokens-day": 86_400 } as const;

/**
 * What is left of limits, as IETF's draft says it (`RateLimit`, `RateLimit-Policy`) and as OpenAI's SDKs read it
 * (`x-ratelimit-*`, where the daily quota has no name). Nothing where no limit is.
 */
export function rateLimitHeaders(limits: readonly LimitLeft[]): Record<string, string> {
  if (limits.length === 0) return {};
  const headers: Record<string, string> = {
    "ratelimit-policy": limits.map(({ name, limit }) => `"${name}";q=${limit};w=${windowS[name]}`).join(", "),
    ratelimit: limits
      .map(({ name, left, resetMs }) => `"${name}";r=${left};t=${seconds(resetMs)}`)
      .join(", "),
  };
  for (const { name, limit, left, resetMs } of limits) {
    if (name === "tokens-day") continue;
    headers[`x-ratelimit-limit-${name}`] = String(limit);
    headers[`x-ratelimit-remaining-${name}`] = String(left);
    headers[`x-ratelimit-reset-${name}`] = `${seconds(resetMs)}s`;
  }
  return headers;
}

const seconds = (ms: number): number => Math.ceil(ms / 1_000);
