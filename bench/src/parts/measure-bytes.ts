import { setTimeout as pause } from "node:timers/promises";
import { closeRedis, openRedis, readRedisMemory } from "@forebay/queue-bullmq";
import { atMost, type Figure } from "../figure.ts";
import type { LoadGenerator } from "../load/open-load-generator.ts";
import { startBaselineServer } from "../systems/start-baseline.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { openForebay } from "../systems/start-forebay.ts";
import { jsonHeaders, postPlan } from "./measure-post.ts";
import type { Part } from "./part.ts";

const jobs = 10_000;
/** Scripts, connections and first keys are no part of a job. */
const warmUp = 100;

type Target = { origin: string; headers: Readonly<Record<string, string>>; uniqueHeader?: string };

/** What one waiting job with a prompt of about 200 bytes takes in Redis. */
export const measureBytes: Part = async ({ generator }) => {
  const baseline = await bytesPerJob(generator, async (redisUrl, stack) => {
    const server = stack.use(await startBaselineServer(redisUrl));
    return { origin: server.url, headers: jsonHeaders };
  });
  const figures: Figure[] = [];
  for (const [name, uniqueHeader] of [
    ["without", undefined],
    ["with", "idempotency-key"],
  ] as const) {
    const bytes = await bytesPerJob(generator, async (redisUrl, stack) => {
      const forebay = stack.use(await openForebay(redisUrl));
      const { url } = stack.use(await forebay.startApi());
      return {
        origin: url,
        headers: { ...jsonHeaders, ...forebay.headers },
        ...(uniqueHeader && { uniqueHeader }),
      };
    });
    figures.push({
      name: `Redis per waiting job, ${name} idempotency key`,
      unit: "bytes",
      forebay: bytes,
      baseline,
      judged: { value: bytes / baseline, target: atMost(1.6) },
    });
  }
  return figures;
};

async function bytesPerJob(
  generator: LoadGenerator,
  start: (redisUrl: string, stack: AsyncDisposableStack) => Promise<Target>,
): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startBenchRedis());
  const client = openRedis({ url: redis.url, prefix: "x" }, "consumer", "bench", () => undefined);
  stack.defer(() => closeRedis(client));
  const plan = { ...postPlan, ...(await start(redis.url, stack)) };
  const usedBytes = async (): Promise<number> => {
    // Buffers of connections and of the log, once a second, are given back.
    await pause(1_200);
    return (await readRedisMemory(client)).usedBytes;
  };
  await generator.run({ ...plan, requests: warmUp });
  const before = await usedBytes();
  await generator.run({ ...plan, requests: jobs });
  return ((await usedBytes()) - before) / jobs;
}
