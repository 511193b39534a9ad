import { setTimeout as sleep } from "node:timers/promises";
import {
  addJob,
  createQueueDirectory,
  openConsumer,
  type QueueSpace,
  tenantKeys,
} from "@forebay/queue-bullmq";
import {
  affinityOf,
  createJobId,
  defaultDeliveryPolicy,
  inferenceJobSchema,
  type InferenceResult,
  queueTag,
} from "@forebay/queue-contracts";
import { atMost } from "../figure.ts";
import type { LoadGenerator } from "../load/open-load-generator.ts";
import { median } from "../statistics.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { model, openForebay } from "../systems/start-forebay.ts";
import { jsonHeaders, postPlan } from "./measure-post.ts";
import { type Part, prompt } from "./part.ts";

const shallow = 1_000;
const deep = 1_000_000;
const posts = 2_000;
const rounds = 3;
const settleMs = 5_000;
const taken = 2_000;

/** A POST, and a worker's start and end of a job, where a million jobs wait, against where a thousand do. */
export const measureDeepQueue: Part = async ({ generator, say }) => {
  const few = await measure(generator, shallow);
  say(`${shallow} waiting measured`);
  const many = await measure(generator, deep);
  return [
    {
      name: "POST /jobs with 1,000,000 waiting, p99; with 1,000 beside it",
      unit: "ms",
      forebay: many.p99Ms,
      baseline: few.p99Ms,
      judged: { value: many.p99Ms / few.p99Ms, target: atMost(1.5) },
      details: { few, many },
    },
    {
      name: "the same, p50",
      unit: "ms",
      forebay: many.p50Ms,
      baseline: few.p50Ms,
    },
    {
      name: "a start and an end with 1,000,000 waiting; with 1,000 beside it",
      unit: "ms/job",
      forebay: many.takenMs,
      baseline: few.takenMs,
    },
    { name: "Redis per job of 1,000,000 waiting", unit: "bytes", forebay: many.bytes },
  ];
};

async function measure(generator: LoadGenerator, waiting: number) {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  // A million jobs take more than a deployment is given unless configured.
  await forebay.space.client.config("SET", "maxmemory", "0");
  await using api = await forebay.startApi();
  const headers = { ...jsonHeaders, ...forebay.headers };
  const plan = { ...postPlan, connections: 8, origin: api.url, headers };
  // What the processes compile and learn at first is no part of it.
  await generator.run({ ...plan, requests: posts });
  await forebay.space.queue(await queueName(forebay.space)).obliterate({ force: true });
  const before = await usedBytes(forebay.space);
  await fill(forebay.space, waiting);
  const bytes = ((await usedBytes(forebay.space)) - before) / waiting;
  // The log of what was filled in is on its way to the disk.
  await sleep(settleMs);
  const runs = [];
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && waiting < deep) await refill(forebay.space, waiting);
    runs.push(await generator.run({ ...plan, requests: posts }));
  }
  return {
    p50Ms: median(runs.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(runs.map(({ p99Ms }) => p99Ms)),
    takenMs: await timeTaking(forebay.space),
    bytes,
  };
}

const affinity = affinityOf({ model });
const queueName = (space: QueueSpace): Promise<string> => createQueueDirectory(space).ensure(affinity);

async function usedBytes({ client }: QueueSpace): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]);
}

// KEYS: a job that was put, prioritized, the tenant's open jobs. ARGV: key of a job without its id, its score, how many
// ticks it takes, then ids. Each gets a copy of the job, behind the others.
const copies = `
local tag, score = tonumber(redis.call("HGET", KEYS[1], "priority")), tonumber(ARGV[2])
for i = 4, #ARGV do
  tag, score = tag + ARGV[3], score + ARGV[3] * 4294967296
  redis.call("COPY", KEYS[1], ARGV[1] .. ARGV[i])
  redis.call("HSET", ARGV[1] .. ARGV[i], "priority", string.format("%.0f", tag))
  redis.call("ZADD", KEYS[2], string.format("%.17g", score), ARGV[i])
  redis.call("ZADD", KEYS[3], i, ARGV[i])
end
redis.call("HSET", KEYS[1], "priority", string.format("%.0f", tag))
return string.format("%.17g", score)`;

/** As many jobs, of which the first is put and the others are its copies: putting them all would take minutes. */
async function fill(space: QueueSpace, count: number): Promise<void> {
  const name = await queueName(space);
  const tag = queueTag(affinity);
  const job = inferenceJobSchema.parse({
    v: 1,
    type: "generate",
    tenant: "bench",
    model,
    request: { prompt },
  });
  const id = createJobId(tag);
  await addJob(space, { id, queueName: name, job, policy: defaultDeliveryPolicy });
  const prioritized = space.jobKey(name, "prioritized");
  const keys = [space.jobKey(name, id), prioritized, tenantKeys(space, "bench").open];
  let score = String(await space.client.zscore(prioritized, id));
  for (let made = 1; made < count; made += 2_000) {
    const ids = Array.from({ length: Math.min(2_000, count - made) }, () => createJobId(tag));
    const args = [space.jobKey(name, ""), score, ticksEach, ...ids];
    score = String(await space.client.eval(copies, keys.length, ...keys, ...args));
  }
}

/** What was posted meanwhile is a part of a million, and a multiple of a thousand. */
async function refill(space: QueueSpace, count: number): Promise<void> {
  await space.queue(await queueName(space)).obliterate({ force: true });
  await fill(space, count);
}

/** How long one of these jobs takes, about. */
const ticksEach = 1;

/** Milliseconds a worker takes for a job that takes none. */
async function timeTaking(space: QueueSpace): Promise<number> {
  const name = await queueName(space);
  let ended = 0;
  const startedAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    const consumer = openConsumer(space, {
      queueName: name,
      concurrency: 8,
      worker: "bench",
      policy: defaultDeliveryPolicy,
      lockMs: 30_000,
      stalledCheckMs: 30_000,
      handle: async () => {
        if (++ended === taken) consumer.close(AbortSignal.timeout(5_000)).then(resolve, reject);
        return { outcome: { kind: "completed", result }, gpuMs: 1 };
      },
      on: { stalled: () => undefined, lockLost: () => undefined, error: reject },
    });
  });
  return (performance.now() - startedAt) / taken;
}

const result: InferenceResult = {
  v: 1,
  type: "generate",
  model,
  backend: "bench",
  usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12, gpu_ms: 1 },
  total_duration_ms: 1,
  load_duration_ms: 0,
  prompt_eval_count: 9,
  done_reason: "stop",
  eval_count: 3,
  prompt_eval_duration_ms: 1,
  eval_duration_ms: 1,
  response: "Because.",
};
