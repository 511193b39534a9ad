import { setTimeout as pause } from "node:timers/promises";
import { type QueueSpace, readRedisMemory } from "@forebay/queue-bullmq";
import { waitFor } from "@forebay/test-harness";
import { openPacedOllama, pacedPrompt } from "../ollama/open-paced-ollama.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { model, openForebay } from "../systems/start-forebay.ts";
import { jsonHeaders } from "./measure-post.ts";
import type { Part } from "./part.ts";

const jobs = 50;
const tokens = 1_000;
const tokensPerS = 100;

/** What a thousand streamed tokens of eleven characters take in Redis, over the same jobs without a log. */
export const measureLog: Part = async ({ say }) => {
  const without = await bytesPerJob(false);
  say("without logs");
  const streamed = await bytesPerJob(true);
  return [
    {
      name: "Redis per 1,000 streamed tokens",
      unit: "bytes",
      forebay: streamed - without,
      details: { jobWithLog: streamed, jobWithout: without },
    },
  ];
};

async function bytesPerJob(stream: boolean): Promise<number> {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  await using ollama = await openPacedOllama();
  await using api = await forebay.startApi();
  await using _worker = await forebay.startWorker(ollama.url, jobs);
  const headers = { ...jsonHeaders, ...forebay.headers };
  const run = async (count: number): Promise<void> => {
    const before = await completed(forebay.space);
    for (let job = 0; job < count; job++) {
      const prompt = pacedPrompt(tokens, tokensPerS, `job-${job}`);
      const body = JSON.stringify({ model, prompt, stream });
      await fetch(`${api.url}/jobs`, { method: "POST", headers, body });
    }
    await waitFor(async () => (await completed(forebay.space)) === before + count, {
      what: "all jobs have completed",
      timeoutMs: 120_000,
    });
    // Buffers of connections and of the log, once a second, are given back.
    await pause(1_500);
  };
  await run(1);
  const before = (await readRedisMemory(forebay.space.client)).usedBytes;
  await run(jobs);
  return ((await readRedisMemory(forebay.space.client)).usedBytes - before) / jobs;
}

async function completed({ client, prefix }: QueueSpace): Promise<number> {
  const [key] = await client.keys(`${prefix}:{infer*}:completed`);
  return key === undefined ? 0 : client.zcard(key);
}
