// npm run bench [-- part …] [--real-time]
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { type Figure, passes } from "./figure.ts";
import { openLoadGenerator } from "./load/open-load-generator.ts";
import { openInstantOllama } from "./ollama/open-instant-ollama.ts";
import { measureBatches } from "./parts/measure-batches.ts";
import { measureBytes } from "./parts/measure-bytes.ts";
import { measureEta } from "./parts/measure-eta.ts";
import { measureEtaLive } from "./parts/measure-eta-live.ts";
import { measureDeepQueue } from "./parts/measure-deep-queue.ts";
import { measureFairCost } from "./parts/measure-fair-cost.ts";
import { measureFairness } from "./parts/measure-fairness.ts";
import { measureFairnessLive } from "./parts/measure-fairness-live.ts";
import { measureFaults } from "./parts/measure-faults.ts";
import { measureGet } from "./parts/measure-get.ts";
import { measureIdle } from "./parts/measure-idle.ts";
import { measureLive } from "./parts/measure-live.ts";
import { measureLog } from "./parts/measure-log.ts";
import { measureMemory } from "./parts/measure-memory.ts";
import { measureOverhead } from "./parts/measure-overhead.ts";
import { measureOverload } from "./parts/measure-overload.ts";
import { measurePickup } from "./parts/measure-pickup.ts";
import { measurePost } from "./parts/measure-post.ts";
import { measureRelay } from "./parts/measure-relay.ts";
import { measureStop } from "./parts/measure-stop.ts";
import { measureSwaps } from "./parts/measure-swaps.ts";
import { measureTrials } from "./parts/measure-trials.ts";
import { measureStreams } from "./parts/measure-streams.ts";
import { measureWorker } from "./parts/measure-worker.ts";
import type { Part } from "./parts/part.ts";
import { formatReport, formatTable, type Machine } from "./report.ts";

const parts: Record<string, Part> = {
  post: measurePost,
  get: measureGet,
  worker: measureWorker,
  swaps: measureSwaps,
  trials: measureTrials,
  idle: measureIdle,
  pickup: measurePickup,
  bytes: measureBytes,
  memory: measureMemory,
  streams: measureStreams,
  relay: measureRelay,
  live: measureLive,
  stop: measureStop,
  log: measureLog,
  overhead: measureOverhead,
  batches: measureBatches,
  fairness: measureFairness,
  "fairness-live": measureFairnessLive,
  "fair-cost": measureFairCost,
  "deep-queue": measureDeepQueue,
  eta: measureEta,
  "eta-live": measureEtaLive,
  overload: measureOverload,
  faults: measureFaults,
};

const realTimeFlag = "--real-time";
const realTime = process.argv.includes(realTimeFlag);
const wanted = process.argv.slice(2).filter((word) => word !== realTimeFlag);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}.`);
  process.exit(2);
}

const figures: Figure[] = [];
{
  await using generator = openLoadGenerator();
  await using ollama = await openInstantOllama();
  for (const [name, part] of Object.entries(parts)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const startedAt = performance.now();
    const say = (text: string): void => console.error(`${name}: ${text}`);
    figures.push(...(await part({ generator, ollama, say, realTime })));
    say(`${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
  }
}
console.log(formatTable(figures));
if (process.env["BENCH_DETAILS"])
  console.log(JSON.stringify(figures.map(({ name, details }) => ({ name, details }))));

// A part alone is for trying things out; only the whole is worth keeping.
if (wanted.length === 0 && !realTime) await writeResults(figures);
if (figures.some((figure) => passes(figure) === false)) process.exitCode = 1;

async function writeResults(all: readonly Figure[]): Promise<void> {
  const machine: Machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    node: process.version,
    at: new Date().toISOString().slice(0, 10),
  };
  const folder = new URL("../results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  await writeFile(new URL("latest.md", folder), formatReport(all, machine));
  await writeFile(new URL("latest.json", folder), `${JSON.stringify({ machine, figures: all }, null, 2)}\n`);
}
