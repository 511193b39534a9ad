import { noteRunningMax, type QueueSpace } from "@forebay/queue-bullmq";
import { affinityOf, createJobId, inferenceJobSchema, queueTag } from "@forebay/queue-contracts";
import { atLeast } from "../figure.ts";
import { median } from "../statistics.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { model, openForebay } from "../systems/start-forebay.ts";
import { fillForebay, inChunks, timeWorker } from "./measure-worker.ts";
import { type Part, prompt } from "./part.ts";

const rounds = 4;
const concurrency = 32;
/** Jobs put by `fillForebay`, and by `fillPlain`. */
const jobs = 6_000;
const tenant = "bench";

/**
 * What fair shares cost: putting a job with a tag and everything else, against BullMQ's own `add` with a priority of
 * the lane's; and a worker whose jobs have shares, against the same jobs without, of which nothing is counted. And what
 * it costs to count a tenant's running jobs, by a limit that is never met.
 */
export const measureFairCost: Part = async ({ ollama }) => {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  const { space } = forebay;
  const put = { on: [] as number[], off: [] as number[] };
  const run = { on: [] as number[], off: [] as number[] };
  const limit = { on: [] as number[], off: run.on };
  for (let round = 0; round < rounds; round++) {
    let queueName = "";
    put.on.push(await perSecond(async () => void (queueName = await fillForebay(space))));
    run.on.push(await timeWorker(ollama, () => forebay.startWorker(ollama.url, concurrency)));
    await noteRunningMax(space, tenant, jobs);
    await fillForebay(space);
    limit.on.push(await timeWorker(ollama, () => forebay.startWorker(ollama.url, concurrency)));
    await noteRunningMax(space, tenant, null);
    put.off.push(await perSecond(() => fillPlain(space, queueName)));
    await space.queue(queueName).obliterate({ force: true });
    await fillForebay(space);
    await forgetShares(space, queueName);
    run.off.push(await timeWorker(ollama, () => forebay.startWorker(ollama.url, concurrency)));
    await space.queue(queueName).obliterate({ force: true });
  }
  return [
    describe("putting jobs, with fair shares and without", put),
    describe("running jobs, with fair shares and without", run),
    describe("running jobs, their tenant with a limit of running ones and without", limit),
  ];
};

type Rates = { readonly on: number[]; readonly off: number[] };

function describe(name: string, { on, off }: Rates) {
  return {
    name,
    unit: "jobs/s",
    forebay: median(on),
    baseline: median(off),
    judged: { value: median(on.map((rate, round) => rate / (off[round] ?? rate))), target: atLeast(0.85) },
    details: { on, off },
  };
}

async function perSecond(fill: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await fill();
  return (jobs / (performance.now() - startedAt)) * 1_000;
}

async function fillPlain(space: QueueSpace, queueName: string): Promise<void> {
  const queue = space.queue(queueName);
  const tag = queueTag(affinityOf({ model }));
  await inChunks(async (index) => {
    const request = { prompt: prompt.replace("#", String(index)) };
    const job = inferenceJobSchema.parse({ v: 1, type: "generate", tenant, model, request });
    await queue.add("infer", job, { jobId: createJobId(tag), attempts: 3, priority: 1_000 });
  });
}

/** These jobs keep their order, and nothing else. */
async function forgetShares(space: QueueSpace, queueName: string): Promise<void> {
  const ids = await space.client.zrange(space.jobKey(queueName, "prioritized"), "0", "-1");
  const pipeline = space.client.pipeline();
  for (const id of ids) pipeline.hdel(space.jobKey(queueName, id), "share");
  await pipeline.exec();
}
