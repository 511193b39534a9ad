import { expect, test } from "vitest";
import { rateLimitHeaders } from "./rate-limit-headers.ts";

test("where no limit is nothing is said", () => {
  expect(rateLimitHeaders([])).toEqual({});
});

test("what is left is said in every dialect", () => {
  expect(
    rateLimitHeaders([
      { name: "requests", limit: 60, left: 59, resetMs: 1_000 },
      { name: "tokens", limit: 10_000, left: 9_700, resetMs: 1_801 },
      { name: "tokens-day", limit: 1_000_000, left: 4, resetMs: 3_600_000 },
    ]),
  ).toEqual({
    "ratelimit-policy": '"requests";q=60;w=60, "tokens";q=10000;w=60, "tokens-day";q=1000000;w=86400',
    ratelimit: '"requests";r=59;t=1, "tokens";r=9700;t=2, "tokens-day";r=4;t=3600',
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "59",
    "x-ratelimit-reset-requests": "1s",
    "x-ratelimit-limit-tokens": "10000",
    "x-ratelimit-remaining-tokens": "9700",
    "x-ratelimit-reset-tokens": "2s",
  });
});
