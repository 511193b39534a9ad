import { mkdir, writeFile } from "node:fs/promises";
import { type Simulator, type SimulatorStats, startSimulator } from "@forebay/ollama-simulator";
import { createQueueDirectory, type JobRecord, readJob } from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";
import { waitFor } from "@forebay/test-harness";
import { atMost, type Figure } from "../figure.ts";
import { barCharts } from "../scheduling/bar-chart.ts";
import { addWaitingJobs } from "../streams/add-waiting-jobs.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { model, openForebay } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";

const workers = 2;
const slots = 2;
const jobs = 24;
const withinMs = 60_000;
const lookMs = 1_000;

type Fault = {
  readonly name: string;
  /** Breaks the host while jobs run on it, and returns once it is well again. */ readonly strike: (
    host: Simulator,
  ) => Promise<void>;
  /** How often the host was probed in the way that finds out that it is well. */ readonly probes?: (
    host: Simulator,
  ) => number;
};
type Seen = { fault: Fault; failed: number; attempts: number; probes: number; recoverMs: number };

const running = (host: Simulator): Promise<unknown> =>
  waitFor(() => host.stats().active > 0, { what: "a call runs", timeoutMs: withinMs });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const killed = async (host: Simulator, downMs: number): Promise<void> => {
  await running(host);
  host.crash(downMs);
  await pause(downMs);
};
const oneTokenCalls = (host: Simulator): number => host.requests().filter(({ text }) => text === ".").length;
const change = (host: Simulator, method: string, path: string): Promise<unknown> =>
  fetch(host.url + path, { method, body: JSON.stringify({ model, stream: false }) });

const faults: readonly Fault[] = [
  { name: "killed for 3 s", strike: (host) => killed(host, 3_000) },
  {
    name: "killed 4 times for 0.3 s",
    async strike(host) {
      for (let time = 0; time < 4; time++) await killed(host, 300);
    },
  },
  {
    name: "silent, lists green",
    async strike(host) {
      host.setFault({ kind: "hang", after_tokens: 2 });
      await waitFor(() => oneTokenCalls(host) > 0, { what: "it was found out", timeoutMs: withinMs });
      host.clearFaults();
    },
    probes: oneTokenCalls,
  },
  {
    name: "slow",
    async strike(host) {
      host.setFault({ kind: "slow", tokens_per_s: 10, times: 2 * slots });
      await running(host);
    },
  },
  {
    name: "without its model for 3 s",
    async strike(host) {
      await change(host, "DELETE", "/api/delete");
      await pause(3_000);
      await change(host, "POST", "/api/pull");
    },
  },
];

/** Two workers share a host to which something happens while jobs wait: what becomes of them, and when it is used again. */
export const measureFaults: Part = async ({ say }) => {
  const all: Seen[] = [];
  for (const fault of faults) {
    const seen = await meet(fault);
    const { failed, attempts, probes, recoverMs } = seen;
    say(
      `${fault.name}: ${failed} failed, ${attempts} attempts, ${probes} probes, ${Math.round(recoverMs)} ms`,
    );
    all.push(seen);
  }
  const charts = barCharts([
    {
      title: `Looks of each worker until a host that is well again has done a job`,
      unit: "looks",
      bars: all.map(({ fault, probes }) => ({ label: fault.name, value: probes })),
    },
  ]);
  const folder = new URL("../../results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  await writeFile(new URL("faults.svg", folder), charts);
  return all.flatMap(figuresOf);
};

async function meet(fault: Fault): Promise<Seen> {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  await using host = await startSimulator({
    models: [model],
    tokensPerS: 200,
    numParallel: slots,
    loadMs: 200,
  });
  await using stack = new AsyncDisposableStack();
  const env = {
    WORKER_DISCOVERY_INTERVAL_MS: String(lookMs),
    WORKER_TOKEN_TIMEOUT_S: "1",
    WORKER_FIRST_BYTE_TIMEOUT_S: "2",
  };
  for (let worker = 0; worker < workers; worker++) {
    stack.use(await forebay.startWorker(host.url, slots, env));
  }
  const put = await addWaitingJobs(forebay.space, jobs);
  await running(host);
  await fault.strike(host);
  const count = fault.probes ?? (({ stats }) => stats().probes);
  const before: SimulatorStats = host.stats();
  const [at, probed] = [performance.now(), count(host)];
  await waitFor(() => host.stats().completed > before.completed, { what: "a job", timeoutMs: withinMs });
  const recoverMs = performance.now() - at;
  const probes = (count(host) - probed) / workers;
  const directory = createQueueDirectory(forebay.space);
  const ended = await Promise.all(
    put.map(({ id }) =>
      waitFor(
        async (): Promise<JobRecord | undefined> => {
          const job = await readJob(forebay.space, directory, id);
          return job && isFinalState(job.state) ? job : undefined;
        },
        { what: "the job ended", timeoutMs: withinMs },
      ),
    ),
  );
  const failed = ended.filter(({ state }) => state !== "completed").length;
  const attempts = Math.max(...ended.map(({ attemptsMade }) => attemptsMade));
  return { fault, failed, attempts, probes, recoverMs };
}

function figuresOf({ fault, failed, attempts, probes, recoverMs }: Seen): Figure[] {
  const judged = (value: number, most: number, unit: string) => ({ value, target: atMost(most, unit) });
  return [
    {
      name: `host ${fault.name}: looks until it has done a job`,
      unit: "looks",
      forebay: probes,
      judged: judged(probes, 2, "looks"),
      details: { recoverMs },
    },
    {
      name: `and jobs of ${jobs} that failed`,
      unit: "jobs",
      forebay: failed,
      judged: judged(failed, 0, "jobs"),
    },
    {
      name: "and attempts of the job that had most",
      unit: "attempts",
      forebay: attempts,
      judged: judged(attempts, 1, "attempts"),
    },
  ];
}
