import { setTimeout as pause } from "node:timers/promises";
import { atLeast, atMost, type Figure } from "../figure.ts";
import { percentile } from "../statistics.ts";
import { addWaitingJobs } from "../streams/add-waiting-jobs.ts";
import { openStreamClient } from "../streams/open-stream-client.ts";
import { openTokenWriter } from "../streams/open-token-writer.ts";
import { readCpuMs } from "../systems/read-cpu-ms.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { openForebay } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";

const tokensPerS = 100;
const seconds = 6;
const shapes = [
  { name: "300 jobs, 2 readers each", jobs: 300, readers: 2 },
  { name: "20 jobs, 40 readers each", jobs: 20, readers: 40 },
];
/** Read beside the others, before those that count. */
const warmUpJobs = 10;

/** Tokens one API process passes on, from the logs of jobs to their readers; each job makes 100 a second. */
export const measureRelay: Part = async ({ say }) => {
  const figures: Figure[] = [];
  for (const shape of shapes) {
    await using redis = await startBenchRedis();
    await using forebay = await openForebay(redis.url);
    await using api = await forebay.startApi();
    await using client = openStreamClient();
    await using writer = openTokenWriter(redis.url);
    const jobs = await addWaitingJobs(forebay.space, warmUpJobs + shape.jobs);
    const paths = jobs.flatMap(({ id }) => Array.from({ length: shape.readers }, () => `/jobs/${id}/events`));
    await client.open({ origin: api.url, paths, headers: forebay.headers }, "begun");
    // A second for everything to be compiled, and then the one that counts.
    await writer.write(jobs.slice(0, warmUpJobs), tokensPerS, 1);
    const before = { ...(await client.read()), cpuMs: await readCpuMs(api.pid), at: performance.now() };
    await client.sample(20);
    const written = await writer.write(jobs.slice(warmUpJobs), tokensPerS, seconds);
    const wanted = written * shape.readers;
    let passed = 0;
    do {
      await pause(20);
      passed = (await client.read()).tokens - before.tokens;
    } while (passed < wanted && performance.now() - before.at < 60_000);
    const elapsedS = (performance.now() - before.at) / 1_000;
    const cpuS = ((await readCpuMs(api.pid)) - before.cpuMs) / 1_000;
    const delays = await client.delays();
    say(`${shape.name}: ${passed} of ${wanted} tokens in ${elapsedS.toFixed(1)} s`);
    const rate = passed / elapsedS;
    figures.push(
      {
        name: `relayed by one API, ${shape.name}`,
        unit: "tokens/s",
        forebay: rate,
        judged: { value: rate, target: atLeast(50_000, "tokens/s") },
        details: { passed, wanted, elapsedS, apiCpuS: cpuS },
      },
      { name: "… per second of its CPU", unit: "tokens", forebay: passed / cpuS },
      {
        name: "… from log to reader, p50",
        unit: "ms",
        forebay: percentile(delays, 0.5),
        judged: { value: percentile(delays, 0.5), target: atMost(30, "ms") },
        details: { p99: percentile(delays, 0.99) },
      },
    );
  }
  return figures;
};
