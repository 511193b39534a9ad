import { atLeast, atMost } from "../figure.ts";
import { compareLoads } from "../load/compare-loads.ts";
import type { LoadPlan } from "../load/load-plan.ts";
import { startBaselineServer } from "../systems/start-baseline.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { model, openForebay } from "../systems/start-forebay.ts";
import { type Part, prompt } from "./part.ts";

export const postPlan: Omit<LoadPlan, "origin" | "headers"> = {
  method: "POST",
  paths: ["/jobs"],
  body: JSON.stringify({ model, prompt }),
  expectedStatus: 202,
  connections: 32,
};
export const jsonHeaders = { "content-type": "application/json" };

/**
 * Accepted POST /jobs per second, with a key, validation and an idempotency key on every request of ours; and once more
 * without what the baseline does not even have a counterpart of.
 */
export const measurePost: Part = async ({ generator }) => {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  await using api = await forebay.startApi();
  await using server = await startBaselineServer(redis.url);
  const ours = {
    ...postPlan,
    origin: api.url,
    headers: { ...jsonHeaders, ...forebay.headers },
    uniqueHeader: "idempotency-key",
  };
  const theirs = { ...postPlan, origin: server.url, headers: jsonHeaders };
  const sides = {
    forebay: { plan: ours, pid: api.pid, redisPid: redis.pid },
    baseline: { plan: theirs, pid: server.pid, redisPid: redis.pid },
  };
  const compared = await compareLoads(generator, sides, 4, 3_000);
  await using terse = await forebay.startApi({ LOG_LEVEL: "warn" });
  const { uniqueHeader: _, ...unkeyed } = ours;
  const less = { plan: { ...unkeyed, origin: terse.url }, pid: terse.pid, redisPid: redis.pid };
  const withLess = await compareLoads(generator, { ...sides, forebay: less }, 3, 3_000);
  return [
    { ...compared.figure("POST /jobs", "perSecond", atLeast(1.2)), details: compared.rounds },
    compared.figure("POST /jobs, CPU of the server", "serverCpuMs"),
    compared.figure("POST /jobs, CPU of the server and Redis", "systemCpuMs"),
    compared.figure("POST /jobs, p50", "p50Ms"),
    compared.figure("POST /jobs, p99", "p99Ms", atMost(1)),
    withLess.figure("POST /jobs without idempotency key and line in the log", "perSecond"),
    withLess.figure("the same, CPU of the server", "serverCpuMs"),
  ];
};
