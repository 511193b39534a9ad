import { createQueueDirectory, type QueueSpace } from "@forebay/queue-bullmq";
import { affinityOf } from "@forebay/queue-contracts";
import { Queue } from "bullmq";
import { atLeast } from "../figure.ts";
import type { InstantOllama } from "../ollama/open-instant-ollama.ts";
import { median } from "../statistics.ts";
import { putGeneration } from "../systems/put-generation.ts";
import { startBaselineWorker } from "../systems/start-baseline.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { model, openForebay } from "../systems/start-forebay.ts";
import { type Part, prompt } from "./part.ts";

const jobs = 6_000;
const rounds = 3;
const concurrency = 32;
/** The first jobs find a process that just started and has compiled nothing yet. */
const skipped = 1_000;

/** Jobs per second through one worker process whose Ollama answers at once. */
export const measureWorker: Part = async ({ ollama }) => {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  const queue = new Queue("ollama", { connection: { url: redis.url } });
  await using _queue = { [Symbol.asyncDispose]: () => queue.close() };
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await fillForebay(forebay.space);
    ours.push(await timeWorker(ollama, () => forebay.startWorker(ollama.url, concurrency)));
    await fillBaseline(queue);
    theirs.push(await timeWorker(ollama, () => startBaselineWorker(redis.url, ollama.url, concurrency)));
  }
  return [
    {
      name: "one worker process, concurrency 32",
      unit: "jobs/s",
      forebay: median(ours),
      baseline: median(theirs),
      judged: { value: median(ours.map((rate, i) => rate / (theirs[i] ?? rate))), target: atLeast(1) },
      details: { forebay: ours, baseline: theirs },
    },
  ];
};

/** Jobs per second of a worker that finds the queue filled. */
export async function timeWorker(
  ollama: InstantOllama,
  start: () => Promise<AsyncDisposable>,
): Promise<number> {
  await ollama.reset();
  await using _worker = await start();
  const times = await ollama.arrivals(jobs);
  const [first = 0, last = 0] = [times[skipped], times[jobs - 1]];
  return ((jobs - 1 - skipped) / (last - first)) * 1_000;
}

/** Puts the jobs that `timeWorker` has run; returns their queue. */
export async function fillForebay(space: QueueSpace): Promise<string> {
  const queueName = await createQueueDirectory(space).ensure(affinityOf({ model }));
  await inChunks(async (index) => {
    const request = { prompt: prompt.replace("#", String(index)) };
    await putGeneration(space, queueName, { model, request });
  });
  return queueName;
}

async function fillBaseline(queue: Queue): Promise<void> {
  const removeOnComplete = { age: 24 * 3600, count: 10_000 };
  const options = { attempts: 3, backoff: { type: "exponential", delay: 1000 }, removeOnComplete };
  await inChunks(async (index) => {
    await queue.add("generate", { model, prompt: prompt.replace("#", String(index)) }, options);
  });
}

/** Puts as many, two hundred at a time. */
export async function inChunks(add: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < jobs; from += 200) {
    await Promise.all(Array.from({ length: Math.min(200, jobs - from) }, (_, i) => add(from + i)));
  }
}
