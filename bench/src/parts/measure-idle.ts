import { setTimeout as sleep } from "node:timers/promises";
import { createQueueDirectory } from "@forebay/queue-bullmq";
import { affinityOf } from "@forebay/queue-contracts";
import { atMost } from "../figure.ts";
import { readCpuMs } from "../systems/read-cpu-ms.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { model, openForebay } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";

const queues = 300;
/** A process that just started compiles, and gives back the memory that took. */
const settleMs = 15_000;
const measuredMs = 20_000;

/** What a worker costs that has nothing to do, and hundreds of queues on which something might come. */
export const measureIdle: Part = async ({ ollama }) => {
  const few = await measure(ollama.url, 1);
  const many = await measure(ollama.url, queues);
  return [
    {
      name: "CPU of an idle worker, one queue",
      unit: "%",
      forebay: few,
      judged: { value: few, target: atMost(1, "%") },
    },
    { name: `CPU of an idle worker, ${queues} queues`, unit: "%", forebay: many },
  ];
};

async function measure(ollamaUrl: string, count: number): Promise<number> {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  const directory = createQueueDirectory(forebay.space);
  for (let index = 0; index < count; index++) {
    await directory.ensure(affinityOf({ model, options: index === 0 ? {} : { num_ctx: 1_024 + index } }));
  }
  await using worker = await forebay.startWorker(ollamaUrl, 1);
  await sleep(settleMs);
  const before = await readCpuMs(worker.pid);
  await sleep(measuredMs);
  return (((await readCpuMs(worker.pid)) - before) / measuredMs) * 100;
}
