import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Simulator, startSimulator } from "@forebay/ollama-simulator";
import { createQueueDirectory, readJob } from "@forebay/queue-bullmq";
import { affinityOf } from "@forebay/queue-contracts";
import { Queue } from "bullmq";
import { Agent, request } from "undici";
import { atLeast, atMost, type Figure } from "../figure.ts";
import { barCharts } from "../scheduling/bar-chart.ts";
import { lowerBoundMs } from "../scheduling/lower-bound.ts";
import { createRandom, spread } from "../scheduling/random.ts";
import { percentile } from "../statistics.ts";
import { putGeneration } from "../systems/put-generation.ts";
import { startBaselineWorker } from "../systems/start-baseline.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { openForebay } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";

/** The others are played so many times faster than what they stand for; ours is not: a millisecond would count as ten. */
const accelerated = 10;
const slots = 2;
const models = ["a:1b", "b:1b", "c:1b", "d:1b"];
const jobs = 300;
const meanTokens = 60;
/** Jobs come faster than they could be worked off without a single swap: there is always a choice. */
const arrivalsPerS = 3.5;
const loadMs = 3_000;
const tokensPerS = 60;
const passedOverMsMax = 60_000;
const patienceMs = 1_200_000;

/** All in milliseconds of what is stood for. */
type Arrival = {
  readonly atMs: number;
  readonly model: string;
  readonly tokens: number;
  readonly trueMs: number;
  readonly seed: number;
};
type Run = {
  readonly makespanMs: number;
  /** How long each job was not worked on, between its arrival and its end. */ readonly waitsMs: readonly number[];
  /** How long jobs that were owed less were served before each one. */ readonly passedOverMs?: readonly number[];
};
type Counted = Run & { readonly swaps: number };

/** A trace, and how many times faster than it says it is played. */
type Play = { readonly trace: readonly Arrival[]; readonly faster: number };

/** 300 jobs of mixed length for four models on a host that holds one of them. */
export const measureSwaps: Part = async ({ say, realTime }) => {
  const trace = makeTrace();
  const real: Play = { trace, faster: 1 };
  const fast: Play = realTime ? real : { trace, faster: accelerated };
  const bound = lowerBoundMs(trace, slots, loadMs);
  say(`no order can end before ${seconds(bound)} s; the others are played ${fast.faster} times as fast`);
  // They mostly wait for loads, and leave enough of the machine to each other.
  const [ours, plain, tutorial] = await Promise.all([
    onSimulator(real, (simulator) => runForebay(simulator, real)),
    onSimulator(fast, (simulator) => sendInOrder(simulator, fast)),
    onSimulator(fast, (simulator) => runTutorial(simulator, fast)),
  ]);
  say(`plain arrival order: ${describe(plain)}`);
  say(`tutorial baseline: ${describe(tutorial)}`);
  say(`Forebay: ${describe(ours)}`);
  await draw({ plain, tutorial, ours, bound });
  return [...compare(ours, plain, tutorial), ...judgeOurs(ours, bound, trace)];
};

function compare(ours: Counted, plain: Counted, tutorial: Counted): Figure[] {
  const longer = (name: string, other: Counted): Figure => ({
    name,
    unit: "s",
    forebay: inS(ours.makespanMs),
    baseline: inS(other.makespanMs),
    judged: { value: ours.makespanMs / other.makespanMs, target: atMost(0.5) },
  });
  return [
    {
      name: `swaps of ${jobs} jobs over ${models.length} models, plain order ÷ ours`,
      unit: "swaps",
      forebay: ours.swaps,
      baseline: plain.swaps,
      judged: { value: plain.swaps / ours.swaps, target: atLeast(5) },
    },
    longer("makespan, ours ÷ plain order", plain),
    longer("makespan, ours ÷ tutorial", tutorial),
    {
      name: "longest wait, plain order beside it",
      unit: "s",
      forebay: inS(Math.max(...ours.waitsMs)),
      baseline: inS(Math.max(...plain.waitsMs)),
    },
    {
      name: "p95 wait, plain order beside it",
      unit: "s",
      forebay: inS(percentile(ours.waitsMs, 0.95)),
      baseline: inS(percentile(plain.waitsMs, 0.95)),
    },
  ];
}

function judgeOurs(ours: Counted, bound: number, trace: readonly Arrival[]): Figure[] {
  const passedOver = inS(Math.max(...(ours.passedOverMs ?? [])));
  // A job that has begun is not stopped for another one.
  const longest = Math.max(...trace.map(({ trueMs }) => trueMs));
  const passedOverMax = Math.ceil(inS(passedOverMsMax + longest));
  return [
    {
      name: "makespan, ours ÷ offline lower bound",
      unit: "s",
      forebay: inS(ours.makespanMs),
      baseline: inS(bound),
      judged: { value: ours.makespanMs / bound, target: atMost(1.15) },
      details: { swaps: ours.swaps },
    },
    {
      name: "longest a job was passed over for those that were owed less",
      unit: "s",
      forebay: passedOver,
      judged: { value: passedOver, target: atMost(passedOverMax, "s") },
    },
  ];
}

const inS = (ms: number): number => ms / 1_000;
const seconds = (ms: number): string => inS(ms).toFixed(0);
const describe = ({ makespanMs, swaps, waitsMs }: Counted): string =>
  `${swaps} swaps, ${seconds(makespanMs)} s, p95 wait ${seconds(percentile(waitsMs, 0.95))} s, longest ${seconds(Math.max(...waitsMs))} s`;

function makeTrace(): Arrival[] {
  const random = createRandom(7);
  let atMs = 0;
  return Array.from({ length: jobs }, (_, seed) => {
    atMs += (-Math.log(1 - random()) / arrivalsPerS) * 1_000;
    const model = models[Math.floor(random() * models.length)] ?? "";
    const tokens = Math.max(1, Math.round(meanTokens * spread(random)));
    return { atMs, model, tokens, trueMs: (tokens / tokensPerS) * 1_000, seed };
  });
}

async function onSimulator(
  { faster }: Play,
  serve: (simulator: Simulator) => Promise<Run>,
): Promise<Counted> {
  await using simulator = await startSimulator({
    models,
    loadMs: loadMs / faster,
    tokensPerS: tokensPerS * faster,
    numParallel: slots,
    maxLoaded: 1,
    unloadMs: 0,
  });
  const run = await serve(simulator);
  return { ...run, swaps: simulator.stats().loads };
}

const bodyOf = ({ model, tokens, seed }: Arrival) => ({
  model,
  prompt: `Request ${seed}`,
  options: { num_predict: tokens, seed },
});

/** Gives every job its turn of the clock. */
async function playAll<T>(
  { trace, faster }: Play,
  run: (arrival: Arrival) => Promise<T>,
): Promise<{ results: T[]; startedAt: number }> {
  const startedAt = performance.now();
  const first = trace[0]?.atMs ?? 0;
  const results = await Promise.all(
    trace.map(async (arrival) => {
      await sleep(Math.max(0, (arrival.atMs - first) / faster - (performance.now() - startedAt)));
      return run(arrival);
    }),
  );
  return { results, startedAt };
}

/** Every caller asks Ollama as soon as it wants to. */
async function sendInOrder(simulator: Simulator, play: Play): Promise<Run> {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connections: jobs });
  try {
    const { results, startedAt } = await playAll(play, async (arrival) => {
      const begunAt = performance.now();
      const body = JSON.stringify({ ...bodyOf(arrival), stream: false });
      const answer = await request(`${simulator.url}/api/generate`, { method: "POST", body, dispatcher });
      await answer.body.dump();
      return (performance.now() - begunAt) * play.faster - arrival.trueMs;
    });
    return { waitsMs: results, makespanMs: (performance.now() - startedAt) * play.faster };
  } finally {
    await dispatcher.close();
  }
}

async function runTutorial(simulator: Simulator, play: Play): Promise<Run> {
  await using redis = await startBenchRedis();
  const queue = new Queue("ollama", { connection: { url: redis.url } });
  await using _queue = { [Symbol.asyncDispose]: () => queue.close() };
  await using _worker = await startBaselineWorker(redis.url, simulator.url, slots);
  const { startedAt } = await playAll(play, (arrival) => queue.add(String(arrival.seed), bodyOf(arrival)));
  await until(async () => (await queue.getCompletedCount()) === jobs);
  const makespanMs = (performance.now() - startedAt) * play.faster;
  const ended = await queue.getCompleted(0, jobs);
  const waitsMs = ended.map(
    ({ name, timestamp, finishedOn = 0 }) =>
      (finishedOn - timestamp) * play.faster - serviceOf(play, Number(name)),
  );
  return { waitsMs, makespanMs };
}

async function runForebay(simulator: Simulator, play: Play): Promise<Run> {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  const { space } = forebay;
  const directory = createQueueDirectory(space);
  await using _worker = await forebay.startWorker(simulator.url, slots, {
    WORKER_AFFINITY_WAIT_S: String(passedOverMsMax / play.faster / 1_000),
    LOG_LEVEL: "error",
  });
  const names = await Promise.all(models.map((model) => directory.ensure(affinityOf({ model }))));
  const { results: ids, startedAt } = await playAll(play, async (arrival) => {
    const { model, prompt, options } = bodyOf(arrival);
    const queueName = await directory.ensure(affinityOf({ model }));
    return putGeneration(space, queueName, { model, request: { prompt, options } });
  });
  await until(async () => {
    const counts = await Promise.all(names.map((name) => space.queue(name).getCompletedCount()));
    return counts.reduce((sum, count) => sum + count, 0) === jobs;
  });
  const makespanMs = (performance.now() - startedAt) * play.faster;
  const records = await Promise.all(ids.map((id) => readJob(space, directory, id)));
  const waitsMs = records.map(
    (record, seed) =>
      ((record?.finishedAt?.getTime() ?? 0) - (record?.createdAt.getTime() ?? 0)) * play.faster -
      serviceOf(play, seed),
  );
  const starts = records.flatMap((record, seed) => {
    const startedAt = record?.starts[0]?.at;
    if (!record || startedAt === undefined) return [];
    return [{ seed, putMs: record.createdAt.getTime(), startMs: Date.parse(startedAt) }];
  });
  const passedOverMs = findPassedOverMs(starts).map((ms) => ms * play.faster);
  return { waitsMs, makespanMs, passedOverMs };
}

/** All jobs are of one tenant: who came later is owed less. */
function findPassedOverMs(jobs: readonly { seed: number; putMs: number; startMs: number }[]): number[] {
  const starts = jobs.toSorted((a, b) => a.startMs - b.startMs);
  return jobs.map(({ seed, putMs, startMs }) =>
    starts.reduce((sum, start, index) => {
      if (start.seed < seed || start.startMs < putMs || start.startMs >= startMs) return sum;
      return sum + Math.min(starts[index + 1]?.startMs ?? startMs, startMs) - start.startMs;
    }, 0),
  );
}

const serviceOf = ({ trace }: Play, seed: number): number => trace[seed]?.trueMs ?? 0;

async function until(done: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  while (!(await done())) {
    if (performance.now() > giveUpAt) throw new Error("the jobs were not done in time");
    await sleep(20);
  }
}

async function draw(runs: {
  plain: Counted;
  tutorial: Counted;
  ours: Counted;
  bound: number;
}): Promise<void> {
  const { plain, tutorial, ours, bound } = runs;
  const bars = (value: (run: Counted) => number) => [
    { label: "plain arrival order", value: value(plain), plain: true },
    { label: "tutorial's worker", value: value(tutorial), plain: true },
    { label: "Forebay", value: value(ours) },
  ];
  const limit = { label: "no order can be faster", value: inS(bound), plain: true };
  const folder = new URL("../../results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  await writeFile(
    new URL("swaps.svg", folder),
    barCharts([
      {
        title: `Loads of a model, ${jobs} jobs over ${models.length} models`,
        unit: "",
        bars: bars(({ swaps }) => swaps),
      },
      {
        title: "Until the last job is done",
        unit: "s",
        bars: [...bars(({ makespanMs }) => inS(makespanMs)), limit],
      },
      { title: "p95 wait", unit: "s", bars: bars(({ waitsMs }) => inS(percentile(waitsMs, 0.95))) },
    ]),
  );
}
