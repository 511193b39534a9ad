import { setTimeout as sleep } from "node:timers/promises";
import { startSimulator } from "@forebay/ollama-simulator";
import { createQueueDirectory, readJob } from "@forebay/queue-bullmq";
import { affinityOf } from "@forebay/queue-contracts";
import { atMost } from "../figure.ts";
import { percentile } from "../statistics.ts";
import { putGeneration } from "../systems/put-generation.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { openForebay } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";

const model = "fair:1b";
const slots = 2;
const tokensPerS = 60;
/** Of each job: it takes a second. */
const tokens = 60;
const smallTenants = 9;
const jobsOfEach = 10;
const floodJobs = 10_000;
const patienceMs = 150_000;

/** The flood of `measure-fairness`, on a worker and a simulated GPU that run as slowly as real ones. */
export const measureFairnessLive: Part = async ({ say }) => {
  const alone = await p95Wait(0);
  say(`without a flood: p95 wait ${alone.toFixed(1)} s`);
  const flooded = await p95Wait(floodJobs);
  say(`under it: ${flooded.toFixed(1)} s`);
  return [
    {
      name: "p95 wait of nine small tenants in real time, under another's flood and without",
      unit: "s",
      forebay: flooded,
      baseline: alone,
      judged: { value: flooded / alone, target: atMost(2) },
    },
  ];
};

/** Seconds from a job's creation to its start, of the small tenants' jobs. */
async function p95Wait(flood: number): Promise<number> {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  await using simulator = await startSimulator({ models: [model], tokensPerS, numParallel: slots });
  const { space } = forebay;
  const directory = createQueueDirectory(space);
  const queueName = await directory.ensure(affinityOf({ model }));
  const request = { prompt: "Why?", options: { num_predict: tokens, seed: 1 } };
  const put = (tenant: string): Promise<string> =>
    putGeneration(space, queueName, { tenant, model, request });
  for (let left = flood; left > 0; left -= 500) {
    await Promise.all(Array.from({ length: Math.min(500, left) }, () => put("flood")));
  }
  const ids = await Promise.all(
    Array.from({ length: smallTenants * jobsOfEach }, (_, index) => put(`small-${index % smallTenants}`)),
  );
  await using _worker = await forebay.startWorker(simulator.url, slots, { LOG_LEVEL: "error" });
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const records = await Promise.all(ids.map((id) => readJob(space, directory, id)));
    const waits = records.flatMap((record) => {
      const [start] = record?.starts ?? [];
      return record && start ? [(Date.parse(start.at) - record.createdAt.getTime()) / 1_000] : [];
    });
    if (waits.length === ids.length) return percentile(waits, 0.95);
    if (performance.now() > giveUpAt) throw new Error("the small tenants' jobs did not begin in time");
    await sleep(500);
  }
}
