import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Simulator, startSimulator } from "@forebay/ollama-simulator";
import { addJob, createQueueDirectory, readJob } from "@forebay/queue-bullmq";
import {
  affinityOf,
  createJobId,
  defaultDeliveryPolicy,
  inferenceJobSchema,
  queueTag,
} from "@forebay/queue-contracts";
import { Queue } from "bullmq";
import { Agent, request } from "undici";
import { atLeast, atMost, type Figure } from "../figure.ts";
import { barCharts } from "../scheduling/bar-chart.ts";
import { createRandom, spread } from "../scheduling/random.ts";
import { percentile } from "../statistics.ts";
import { startBaselineWorker } from "../systems/start-baseline.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { openForebay } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";

/** Everything is so many times faster than what it stands for: loads of 3 s, 60 tokens/s, heads wait for 60 s. */
const faster = 10;
const loadMs = 3_000 / faster;
const tokensPerS = 60 * faster;
const overtakenMsMax = 60_000 / faster;
const slots = 2;
const models = ["a:1b", "b:1b", "c:1b", "d:1b"];
const jobs = 300;
const meanTokens = 60;
/** Jobs come faster than they could be worked off without a single swap: there is always a choice. */
const arrivalsPerS = 3.5 * faster;
const patienceMs = 120_000;

type Arrival = {
  readonly atMs: number;
  readonly model: string;
  readonly tokens: number;
  readonly seed: number;
};
type Run = {
  readonly makespanMs: number;
  readonly swaps: number;
  /** How long each job was not worked on, between its arrival and its end. */ readonly waitsMs: readonly number[];
};

/** 300 jobs of mixed length for four models on a host that holds one of them. */
export const measureSwaps: Part = async ({ say }) => {
  const trace = makeTrace();
  const bound = lowerBoundMs(trace);
  say(`no order can end before ${seconds(bound)} s`);
  // They mostly wait for loads, and leave enough of the machine to each other.
  const [plain, tutorial] = await Promise.all([
    onSimulator((simulator) => sendInOrder(simulator, trace)),
    onSimulator((simulator) => runTutorial(simulator, trace)),
  ]);
  say(`plain arrival order: ${describe(plain)}`);
  say(`tutorial baseline: ${describe(tutorial)}`);
  const ours = await onSimulator((simulator) => runForebay(simulator, trace, overtakenMsMax));
  say(`Forebay: ${describe(ours)}`);
  const patient = await onSimulator((simulator) => runForebay(simulator, trace, 5 * overtakenMsMax));
  say(`Forebay, where jobs may be passed over for 300 s: ${describe(patient)}`);
  await draw({ plain, tutorial, ours, bound });
  const figure = (name: string, forebay: number, baseline: number, unit: string): Omit<Figure, "judged"> => ({
    name,
    unit,
    forebay,
    baseline,
  });
  return [
    {
      ...figure(
        `swaps of ${jobs} jobs over ${models.length} models, plain order ÷ ours`,
        ours.swaps,
        plain.swaps,
        "swaps",
      ),
      judged: { value: plain.swaps / ours.swaps, target: atLeast(5) },
    },
    {
      ...figure("makespan, ours ÷ plain order", inS(ours.makespanMs), inS(plain.makespanMs), "s"),
      judged: { value: ours.makespanMs / plain.makespanMs, target: atMost(0.5) },
    },
    {
      ...figure("makespan, ours ÷ tutorial", inS(ours.makespanMs), inS(tutorial.makespanMs), "s"),
      judged: { value: ours.makespanMs / tutorial.makespanMs, target: atMost(0.5) },
    },
    {
      ...figure("makespan, ours ÷ offline lower bound", inS(ours.makespanMs), inS(bound), "s"),
      judged: { value: ours.makespanMs / bound, target: atMost(1.15) },
    },
    figure(
      "the same with WORKER_AFFINITY_WAIT_S=300, lower bound beside it",
      inS(patient.makespanMs),
      inS(bound),
      "s",
    ),
    figure(
      "longest wait, plain order beside it",
      inS(Math.max(...ours.waitsMs)),
      inS(Math.max(...plain.waitsMs)),
      "s",
    ),
    figure(
      "p95 wait, plain order beside it",
      inS(percentile(ours.waitsMs, 0.95)),
      inS(percentile(plain.waitsMs, 0.95)),
      "s",
    ),
  ];
};

/** In seconds of what is stood for. */
const inS = (ms: number): number => (ms * faster) / 1_000;
const seconds = (ms: number): string => inS(ms).toFixed(0);
const describe = ({ makespanMs, swaps, waitsMs }: Run): string =>
  `${swaps} swaps, ${seconds(makespanMs)} s, p95 wait ${seconds(percentile(waitsMs, 0.95))} s, longest ${seconds(Math.max(...waitsMs))} s`;

function makeTrace(): Arrival[] {
  const random = createRandom(7);
  let atMs = 0;
  return Array.from({ length: jobs }, (_, seed) => {
    atMs += (-Math.log(1 - random()) / arrivalsPerS) * 1_000;
    const model = models[Math.floor(random() * models.length)] ?? "";
    return { atMs, model, tokens: Math.max(1, Math.round(meanTokens * spread(random))), seed };
  });
}

const serviceMs = ({ tokens }: Arrival): number => (tokens / tokensPerS) * 1_000;

/**
 * What no order could beat: every model is loaded once, nobody else's call runs meanwhile, all slots are busy all
 * the rest of the time; and the work that has come after any moment cannot have begun before it.
 */
function lowerBoundMs(trace: readonly Arrival[]): number {
  const first = trace[0]?.atMs ?? 0;
  const loads = new Set(trace.map(({ model }) => model)).size * loadMs;
  const all = loads + trace.reduce((sum, arrival) => sum + serviceMs(arrival), 0) / slots;
  let after = 0;
  let latest = 0;
  for (const arrival of trace.toReversed()) {
    after += serviceMs(arrival) / slots;
    latest = Math.max(latest, arrival.atMs - first + after);
  }
  return Math.max(all, latest);
}

async function onSimulator(
  serve: (simulator: Simulator) => Promise<{ waitsMs: number[]; makespanMs: number }>,
): Promise<Run> {
  await using simulator = await startSimulator({
    models,
    loadMs,
    tokensPerS,
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
async function play<T>(
  trace: readonly Arrival[],
  run: (arrival: Arrival) => Promise<T>,
): Promise<{ results: T[]; startedAt: number }> {
  const startedAt = performance.now();
  const first = trace[0]?.atMs ?? 0;
  const results = await Promise.all(
    trace.map(async (arrival) => {
      await sleep(Math.max(0, arrival.atMs - first - (performance.now() - startedAt)));
      return run(arrival);
    }),
  );
  return { results, startedAt };
}

/** Every caller asks Ollama as soon as it wants to. */
async function sendInOrder(simulator: Simulator, trace: readonly Arrival[]) {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connections: jobs });
  try {
    const { results, startedAt } = await play(trace, async (arrival) => {
      const begunAt = performance.now();
      const body = JSON.stringify({ ...bodyOf(arrival), stream: false });
      const answer = await request(`${simulator.url}/api/generate`, { method: "POST", body, dispatcher });
      await answer.body.dump();
      return performance.now() - begunAt - serviceMs(arrival);
    });
    return { waitsMs: results, makespanMs: performance.now() - startedAt };
  } finally {
    await dispatcher.close();
  }
}

async function runTutorial(simulator: Simulator, trace: readonly Arrival[]) {
  await using redis = await startBenchRedis();
  const queue = new Queue("ollama", { connection: { url: redis.url } });
  await using _queue = { [Symbol.asyncDispose]: () => queue.close() };
  await using _worker = await startBaselineWorker(redis.url, simulator.url, slots);
  const { startedAt } = await play(trace, (arrival) => queue.add(String(arrival.seed), bodyOf(arrival)));
  await until(async () => (await queue.getCompletedCount()) === jobs);
  const makespanMs = performance.now() - startedAt;
  const ended = await queue.getCompleted(0, jobs);
  const waitsMs = ended.map(
    ({ name, timestamp, finishedOn = 0 }) => finishedOn - timestamp - serviceOf(trace, Number(name)),
  );
  return { waitsMs, makespanMs };
}

async function runForebay(simulator: Simulator, trace: readonly Arrival[], passedOverMsMax: number) {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  const { space } = forebay;
  const directory = createQueueDirectory(space);
  await using _worker = await forebay.startWorker(simulator.url, slots, {
    WORKER_AFFINITY_WAIT_S: String(passedOverMsMax / 1_000),
    LOG_LEVEL: "error",
  });
  const names = await Promise.all(models.map((model) => directory.ensure(affinityOf({ model }))));
  const { results: ids, startedAt } = await play(trace, async (arrival) => {
    const { model, prompt, options } = bodyOf(arrival);
    const affinity = affinityOf({ model });
    const id = createJobId(queueTag(affinity));
    const job = { v: 1, type: "generate", tenant: "bench", model, request: { prompt, options } };
    await addJob(space, {
      id,
      queueName: await directory.ensure(affinity),
      policy: defaultDeliveryPolicy,
      job: inferenceJobSchema.parse(job),
    });
    return id;
  });
  await until(async () => {
    const counts = await Promise.all(names.map((name) => space.queue(name).getCompletedCount()));
    return counts.reduce((sum, count) => sum + count, 0) === jobs;
  });
  const makespanMs = performance.now() - startedAt;
  const records = await Promise.all(ids.map((id) => readJob(space, directory, id)));
  const waitsMs = records.map(
    (record, seed) =>
      (record?.finishedAt?.getTime() ?? 0) - (record?.createdAt.getTime() ?? 0) - serviceOf(trace, seed),
  );
  return { waitsMs, makespanMs };
}

const serviceOf = (trace: readonly Arrival[], seed: number): number => {
  const arrival = trace[seed];
  return arrival ? serviceMs(arrival) : 0;
};

async function until(done: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  while (!(await done())) {
    if (performance.now() > giveUpAt) throw new Error("the jobs were not done in time");
    await sleep(20);
  }
}

async function draw(runs: { plain: Run; tutorial: Run; ours: Run; bound: number }): Promise<void> {
  const { plain, tutorial, ours, bound } = runs;
  const bars = (value: (run: Run) => number) => [
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
